//! `cargo xtask build`: the site, then the binary that serves it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    cargo::{Profile, Workspace, run},
    pgo::Guided,
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
    let built = workspace.target.join(profile.folder()).join(GATEWAY);
    if profile == Profile::Release {
        command.arg("--release");
        if target.is_none()
            && let Some(guided) = Guided::by(workspace)?
        {
            run(guided.tell(&mut command))?;
            copy(&guided.folder(workspace).join(GATEWAY), &built)?;
            return Ok(built);
        }
    }
    let Some(triple) = target else {
        run(&mut command)?;
        return Ok(built);
    };
    add_target(triple)?;
    run(command.args(["--target", triple]))?;
    Ok(workspace
        .target
        .join(triple)
        .join(profile.folder())
        .join(GATEWAY))
}

/// In the place of what was there, which may be running.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let _ = fs::remove_file(to);
    fs::copy(from, to).with_context(|| format!("cannot copy to {}", to.display()))?;
    Ok(())
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
