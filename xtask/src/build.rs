//! `cargo xtask build`: the site, then the binary that serves it.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    cargo::{Profile, Workspace, run},
    site,
};

/// The binary's file name.
pub const GATEWAY: &str = if cfg!(windows) {
    "ai-gateway.exe"
} else {
    "ai-gateway"
};

/// Builds everything; answers where the binary is.
pub fn build(profile: Profile, target: Option<&str>) -> Result<PathBuf> {
    let workspace = Workspace::find()?;
    site::build(&workspace, profile)?;
    server(&workspace, profile, target)
}

fn server(workspace: &Workspace, profile: Profile, target: Option<&str>) -> Result<PathBuf> {
    let mut command = workspace.cargo();
    command.args(["build", "--package", "server", "--bin", "ai-gateway"]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    let mut folder = workspace.target.clone();
    if let Some(triple) = target {
        add_target(triple)?;
        command.args(["--target", triple]);
        folder.push(triple);
    }
    run(&mut command)?;
    Ok(folder.join(profile.folder()).join(GATEWAY))
}

/// Has rustup install the standard library of a target, where it is missing.
///
/// `rust-toolchain.toml` names the WASM target, but where rustup's automatic installing is
/// switched off, that line is silently ignored.
pub fn add_target(triple: &str) -> Result<()> {
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .context("cannot run rustc")?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    if sysroot.join("lib/rustlib").join(triple).is_dir() {
        return Ok(());
    }
    run(Command::new("rustup").args(["target", "add", triple]))
        .with_context(|| format!("the standard library for {triple} is missing"))
}
