//! Profile-guided optimisation: release builds put the code together that requests run through, and make more of it.
//!
//! <https://doc.rust-lang.org/rustc/profile-guided-optimization.html>. `cargo xtask profile` notes what that code is and
//! leaves it in `xtask/profile`, where it belongs to the source. What has changed since, or is another compiler's, is
//! compiled as it would be without: the profile ages, and breaks nothing.

use std::{
    env,
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::cargo::{Profile, Workspace, compiler, host, run};

/// Compressed, with nothing of what requests never run through.
const PROFILE: &str = "gateway.profdata.br";
/// Beside it: which compiler, on which machine, it was made with. Others name functions otherwise.
const COMPILER: &str = "compiler.txt";
/// Given by hand, flags are not to be replaced by ours.
const FLAGS: [&str; 2] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"];
/// The names of functions depend on each of these settings, on whether they are stripped as well.
const PROFILE_SETTINGS: &str = "CARGO_PROFILE_RELEASE_";

/// A build that is guided by the profile.
pub struct Guided {
    host: String,
    flags: OsString,
}

impl Guided {
    /// `None`: there is none for this machine, or none is wanted.
    pub fn by(workspace: &Workspace) -> Result<Option<Self>> {
        if FLAGS.iter().any(|name| env::var_os(name).is_some()) {
            return Ok(None);
        }
        let otherwise = |(name, _): &(OsString, OsString)| {
            name.as_encoded_bytes()
                .starts_with(PROFILE_SETTINGS.as_bytes())
        };
        if let Some((name, _)) = env::vars_os().find(otherwise) {
            eprintln!(
                "xtask: with {} functions have other names: the build is not guided by a profile",
                name.display()
            );
            return Ok(None);
        }
        let host = host()?;
        let folder = source(workspace, &host);
        let Ok(made_with) = fs::read_to_string(folder.join(COMPILER)) else {
            return Ok(None);
        };
        if made_with != compiler()? {
            eprintln!("xtask: the profile is another compiler's: `cargo xtask profile` makes one");
            return Ok(None);
        }
        let mut flags = OsString::from("-Cprofile-use=");
        flags.push(unpacked(workspace, &folder.join(PROFILE))?);
        for flag in [
            // That some functions are others by now is expected.
            "-Cllvm-args=-no-pgo-warn-mismatch",
            // What requests hardly ever run through is made small: 2 MB of 41, and nothing slower for it.
            "-Cllvm-args=-pgso-lwss-only=false",
            // What requests run through becomes a section of its own, and so does what hardly ever runs; functions that
            // are alike byte for byte become one. (The linker is LLVM's, which comes with Rust.)
            "-Clink-arg=-Wl,-z,keep-text-section-prefix",
            "-Clink-arg=-Wl,--icf=all",
        ] {
            flags.push("\u{1f}");
            flags.push(flag);
        }
        Ok(Some(Self { host, flags }))
    }

    /// Has cargo build with it.
    pub fn tell<'c>(&self, cargo: &'c mut Command) -> &'c mut Command {
        cargo
            .args(["--target", &self.host])
            .env("CARGO_ENCODED_RUSTFLAGS", &self.flags)
    }

    /// Where cargo leaves what it builds.
    pub fn folder(&self, workspace: &Workspace) -> PathBuf {
        let folder = workspace.target.join(&self.host);
        folder.join(Profile::Release.folder())
    }
}

/// What requests do most. Beside streams in bursts and histories of a megabyte all else would seem to be rare.
const TRAINING: [&str; 6] = ["steady", "policies", "flat32", "paced", "first", "dialects"];

/// Builds a gateway that counts what it runs, lets the benchmark drive it, and keeps what it counted.
pub fn profile() -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let merge = merge_tool()?;
    let target = scratch(&workspace);
    let counted = target.join("counted");
    if counted.is_dir() {
        fs::remove_dir_all(&counted)?;
    }
    run(workspace
        .cargo()
        .args(["build", "--release", "--package", "bench"]))?;
    let host = host()?;
    let mut flags = OsString::from("-Cprofile-generate=");
    flags.push(&counted);
    run(workspace
        .cargo()
        .args(["build", "--release", "--package", "server"])
        .args(["--bin", "ai-gateway", "--target", &host, "--target-dir"])
        .arg(&target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags))?;
    run(Command::new(workspace.target.join("release/bench"))
        .arg(target.join(&host).join("release/ai-gateway"))
        .arg("--quick")
        .args(TRAINING.iter().flat_map(|scenario| ["--only", scenario])))?;

    let merged = target.join("merged.profdata");
    run(Command::new(merge)
        .args(["merge", "--sparse", "--output"])
        .arg(&merged)
        .arg(&counted))?;
    let folder = source(&workspace, &host);
    fs::create_dir_all(&folder)?;
    pack(&merged, &folder.join(PROFILE))?;
    fs::write(folder.join(COMPILER), compiler()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Where the profile is kept.
fn source(workspace: &Workspace, host: &str) -> PathBuf {
    workspace.root.join("xtask/profile").join(host)
}

/// Where what is made of it is.
fn scratch(workspace: &Workspace) -> PathBuf {
    workspace.target.join("profile")
}

fn pack(profile: &Path, packed: &Path) -> Result<()> {
    let profile = fs::read(profile)?;
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 24);
    writer.write_all(&profile)?;
    fs::write(packed, writer.into_inner())
        .with_context(|| format!("cannot write {}", packed.display()))
}

fn unpack(mut packed: &[u8]) -> Result<Vec<u8>> {
    let mut profile = Vec::new();
    brotli::BrotliDecompress(&mut packed, &mut profile)
        .context("the profile cannot be unpacked")?;
    Ok(profile)
}

/// The profile as the compiler reads it. Its name follows from what is in it, so that another one has all built anew.
fn unpacked(workspace: &Workspace, packed: &Path) -> Result<PathBuf> {
    let packed = fs::read(packed).with_context(|| format!("cannot read {}", packed.display()))?;
    let digest = Sha256::digest(&packed);
    let name: String = digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let folder = scratch(workspace);
    let path = folder.join(format!("{name}.profdata"));
    if path.is_file() {
        return Ok(path);
    }
    fs::create_dir_all(&folder)?;
    // Whole, or not there.
    let new = folder.join(format!("{name}.new"));
    fs::write(&new, unpack(&packed)?)?;
    fs::rename(&new, &path)?;
    Ok(path)
}

/// `llvm-profdata` of the compiler's LLVM.
fn merge_tool() -> Result<PathBuf> {
    let version = compiler()?;
    let major = version
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: ")?.split('.').next())
        .context("rustc names no LLVM version")?;
    let names = [format!("llvm-profdata-{major}"), "llvm-profdata".to_owned()];
    let path = env::var_os("PATH").unwrap_or_default();
    for folder in env::split_paths(&path) {
        for tool in names.iter().map(|name| folder.join(name)) {
            if tool.is_file() && is_of(&tool, major) {
                return Ok(tool);
            }
        }
    }
    bail!("llvm-profdata {major} is missing; install it (Debian: apt-get install llvm-{major})");
}

fn is_of(tool: &Path, major: &str) -> bool {
    let said = Command::new(tool).arg("--version").output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    said.is_ok_and(|said| said.contains(&format!("LLVM version {major}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another compiler would have release builds go without, and nobody would notice.
    #[test]
    fn the_profile_can_be_read_and_is_this_compilers() -> Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let toolchain = fs::read_to_string(root.join("rust-toolchain.toml"))?;
        let channel = toolchain.lines().find(|line| line.starts_with("channel"));
        let channel = channel.and_then(|line| line.split('"').nth(1));
        let release = format!("release: {}", channel.context("no channel")?);
        for folder in fs::read_dir(root.join("xtask/profile"))? {
            let folder = folder?.path();
            let made_with = fs::read_to_string(folder.join(COMPILER))?;
            assert!(made_with.lines().any(|line| line == release), "{made_with}");
            let profile = unpack(&fs::read(folder.join(PROFILE))?)?;
            // <https://llvm.org/docs/InstrProfileFormat.html#indexed-profile-format>, little endian.
            assert_eq!(
                profile[..8],
                [0xff, b'l', b'p', b'r', b'o', b'f', b'i', 0x81]
            );
        }
        Ok(())
    }
}
