//! Calling cargo from inside `cargo run`.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Which of the two builds is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Built quickly; the site is read from disk.
    Debug,
    /// Built to ship; the site is in the binary.
    Release,
}

impl Profile {
    /// The profile that `--release` stands for.
    pub fn chosen(release: bool) -> Self {
        if release { Self::Release } else { Self::Debug }
    }

    /// The folder in the target directory that cargo uses for host builds.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }

    /// The cargo profile that the dashboard's WASM is built with.
    pub fn wasm_profile(self) -> &'static str {
        match self {
            Self::Debug => "dev",
            Self::Release => "wasm",
        }
    }

    /// The folder in the target directory that cargo uses for [`Self::wasm_profile`].
    pub fn wasm_folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "wasm",
        }
    }
}

/// Where things are.
#[derive(Debug, Clone, Deserialize)]
pub struct Workspace {
    /// The folder of the top `Cargo.toml`.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    /// Cargo's target directory; `CARGO_TARGET_DIR` and cargo's configuration are honoured.
    #[serde(rename = "target_directory")]
    pub target: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let output = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(root)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo metadata")?;
        if !output.status.success() {
            bail!("cargo metadata failed: {}", output.status);
        }
        serde_json::from_slice(&output.stdout).context("cannot read cargo metadata's answer")
    }

    /// A cargo command in the workspace's root. Where `CI` is set, `Cargo.lock` is taken as it is.
    pub fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        if env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false") {
            command.arg("--locked");
        }
        command
    }
}

/// A cargo command without the variables that the outer `cargo run` set.
///
/// ring's build script, for one, watches `CARGO_PKG_*`: inherited, they would have everything
/// above ring rebuilt on each call.
fn cargo() -> Command {
    let mut command = Command::new("cargo");
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let outer = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ];
        if text == "CARGO" || outer.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    command
}

/// What `rustc` says of itself: its version, LLVM's, and this machine's triple.
pub fn compiler() -> Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run rustc")?;
    String::from_utf8(output.stdout).context("cannot read rustc's version")
}

/// The triple of this machine: named, it keeps flags from build scripts and macros.
pub fn host() -> Result<String> {
    let said = compiler()?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names no host")
}

/// Runs a command to its end; a failure names the command.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .with_context(|| format!("cannot run `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}
