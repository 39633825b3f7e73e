//! Profile-guided optimisation: `cargo xtask profile` notes which code requests run through, and release builds from then on
//! put that code together and make more of it.
//!
//! <https://doc.rust-lang.org/rustc/profile-guided-optimization.html>. The profile is in the target directory, and there only
//! for who asked for it: what it makes is quicker, but larger. What has changed since is compiled as it would be without.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};

use crate::cargo::{Profile, Workspace, compiler, host, run};

const PROFILE: &str = "gateway.profdata";
/// Beside it: which compiler, on which machine, it was made with. Others name functions otherwise.
const COMPILER: &str = "compiler.txt";
/// Given by hand, flags are not to be replaced by ours.
const FLAGS: [&str; 2] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"];

/// A build that is guided by the profile.
pub struct Guided {
    host: String,
    flags: OsString,
}

impl Guided {
    /// `None`: it would be of no use, or is not wanted.
    pub fn by(workspace: &Workspace) -> Result<Option<Self>> {
        if FLAGS.iter().any(|name| env::var_os(name).is_some()) {
            return Ok(None);
        }
        let folder = folder(workspace);
        let Ok(made_with) = fs::read_to_string(folder.join(COMPILER)) else {
            return Ok(None);
        };
        if made_with != compiler()? {
            eprintln!("xtask: the profile is another compiler's: `cargo xtask profile` makes one");
            return Ok(None);
        }
        let mut flags = OsString::from("-Cprofile-use=");
        flags.push(folder.join(PROFILE));
        // What requests run through becomes a section of its own, and so does what hardly ever runs.
        flags.push("\u{1f}-Clink-arg=-Wl,-z,keep-text-section-prefix");
        Ok(Some(Self {
            host: host()?,
            flags,
        }))
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

/// Builds a gateway that counts what it runs, lets the benchmark drive it, and keeps what it counted.
pub fn profile() -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let merge = merge_tool()?;
    let target = folder(&workspace);
    let counted = target.join("counted");
    for old in [&counted, &target.join(COMPILER)] {
        if old.is_dir() {
            fs::remove_dir_all(old)?;
        } else if old.exists() {
            fs::remove_file(old)?;
        }
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
        .arg(target.join(host).join("release/ai-gateway")))?;

    run(Command::new(merge)
        .args(["merge", "--output"])
        .arg(target.join(PROFILE))
        .arg(&counted))?;
    // Last: without it there is no profile.
    fs::write(target.join(COMPILER), compiler()?)?;
    Ok(ExitCode::SUCCESS)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("profile")
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
