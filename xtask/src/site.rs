//! The dashboard's site: WASM, its JavaScript glue, one stylesheet, fonts and images.
//!
//! Everything ends in `<target dir>/site/<debug|release>/pkg`. WASM, script and stylesheet share
//! one name, `dashboard-<hash>`, made from their content: they may be cached for ever, and the
//! server needs to find a single name. Files of `style/assets` keep their names, under `assets/`.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    build::add_target,
    cargo::{Profile, Workspace, run},
};

const TRIPLE: &str = "wasm32-unknown-unknown";

/// What the site is made from.
struct Sources {
    wasm: Vec<u8>,
    css: String,
    assets: Vec<(PathBuf, Vec<u8>)>,
}

/// Builds the site, unless it is there already with this very content.
pub fn build(workspace: &Workspace, profile: Profile) -> Result<()> {
    let site = workspace.target.join("site").join(profile.folder());
    let sources = Sources {
        wasm: compile(workspace, profile)?,
        css: stylesheet(&workspace.root.join("style"))?,
        assets: assets(&workspace.root.join("style/assets"))?,
    };
    let hash = sources.hash();
    let name = format!("dashboard-{hash}");
    // Written last: a site that was interrupted half-way has no such file.
    let stamp = site.join("name.txt");
    // And what its files are, where that has changed.
    let stamped = format!("{name} br zst");
    if fs::read_to_string(&stamp).is_ok_and(|before| before == stamped) {
        return Ok(());
    }

    let pkg = site.join("pkg");
    if pkg.exists() {
        fs::remove_dir_all(&pkg).with_context(|| format!("cannot empty {}", pkg.display()))?;
    }
    fs::create_dir_all(&pkg)?;
    sources.write(&pkg, &name, profile)?;
    if profile == Profile::Release {
        compress(&pkg)?;
    }
    fs::write(&stamp, &stamped)?;
    eprintln!("xtask: site {} in {}", name, pkg.display());
    Ok(())
}

/// Compiles the dashboard to WASM; answers the module's bytes, not yet bound to JavaScript.
fn compile(workspace: &Workspace, profile: Profile) -> Result<Vec<u8>> {
    add_target(TRIPLE)?;
    run(workspace
        .cargo()
        .args(["build", "--package", "dashboard", "--lib"])
        .args(["--features", "hydrate", "--target", TRIPLE])
        .args(["--profile", profile.wasm_profile()]))?;
    let path = workspace
        .target
        .join(TRIPLE)
        .join(profile.wasm_folder())
        .join("dashboard.wasm");
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// All stylesheets under `folder` in the order of their paths, as one.
fn stylesheet(folder: &Path) -> Result<String> {
    let mut css = String::new();
    for path in files(folder)? {
        if path.extension().is_some_and(|ending| ending == "css") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            css.push_str(text.trim_end());
            css.push('\n');
        }
    }
    Ok(css)
}

/// Fonts and images, with their paths relative to `folder`.
fn assets(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    files(folder)?
        .into_iter()
        .map(|path| {
            let bytes =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.strip_prefix(folder).unwrap_or(&path).to_owned();
            Ok((name, bytes))
        })
        .collect()
}

/// Every file under `folder`, sorted by path; none where the folder is missing.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

impl Sources {
    fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        // Another wasm-bindgen or another version of this file makes another site.
        hasher.update(include_bytes!("site.rs"));
        hasher.update(wasm_bindgen_shared_version());
        for part in [self.wasm.as_slice(), self.css.as_bytes()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        for (path, bytes) in &self.assets {
            hasher.update(path.to_string_lossy().as_bytes());
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
        hex(&hasher.finalize()[..8])
    }

    fn write(&self, pkg: &Path, name: &str, profile: Profile) -> Result<()> {
        let release = profile == Profile::Release;
        Bindgen::new()
            .input_bytes(name, self.wasm.clone())
            .web(true)?
            .omit_default_module_path(false)
            .remove_name_section(release)
            .remove_producers_section(release)
            .typescript(false)
            .generate(pkg)
            .context("wasm-bindgen cannot process the dashboard")?;

        for (path, bytes) in &self.assets {
            let to = pkg.join("assets").join(path);
            fs::create_dir_all(to.parent().unwrap_or(pkg))?;
            fs::write(&to, bytes)?;
        }
        fs::write(pkg.join(format!("{name}.css")), &self.css)?;
        Ok(())
    }
}

/// Has a `.br` and a `.zst` in the place of every file that gains from it: most browsers take the first; who does not
/// gets what was in the second, which is unpacked much sooner.
fn compress(pkg: &Path) -> Result<()> {
    for path in files(pkg)? {
        let bytes = fs::read(&path)?;
        let mut brotli = Vec::new();
        let mut writer = brotli::CompressorWriter::new(&mut brotli, 1 << 16, 11, 22);
        writer.write_all(&bytes)?;
        drop(writer);
        // Fonts and most images are compressed already.
        if brotli.len() < bytes.len() / 10 * 9 {
            let beside = |ending: &str| {
                let mut name = path.clone().into_os_string();
                name.push(ending);
                name
            };
            fs::write(beside(".br"), brotli)?;
            fs::write(beside(".zst"), zstd::bulk::compress(&bytes, ZSTD_LEVEL)?)?;
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// The highest that needs no more memory to unpack.
const ZSTD_LEVEL: i32 = 19;

/// The version that module and generator have to share.
fn wasm_bindgen_shared_version() -> &'static str {
    include_str!("../Cargo.toml")
        .lines()
        .find(|line| line.starts_with("wasm-bindgen-cli-support"))
        .unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
