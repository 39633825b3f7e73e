//! `cargo xtask bench`: builds in release, then measures.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{
    build,
    cargo::{Profile, Workspace, run},
};

/// Hands `args` on to the benchmark, `xtask/bench`.
pub fn bench(args: &[String]) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        run(workspace
            .cargo()
            .args(["run", "--quiet", "--package", "bench", "--", "--help"]))?;
        return Ok(ExitCode::SUCCESS);
    }
    let binary = build::build(Profile::Release, None)?;
    run(workspace
        .cargo()
        .args(["build", "--release", "--package", "bench"]))?;
    // In the caller's working directory: `--json FILE` is meant from there.
    run(Command::new(workspace.target.join("release/bench"))
        .arg(binary)
        .args(args))?;
    Ok(ExitCode::SUCCESS)
}
