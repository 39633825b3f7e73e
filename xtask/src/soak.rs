//! `cargo xtask soak`: many clients for minutes, while targets fail and recover.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::cargo::{Profile, Workspace, run};

/// How long, how many, and what chance begins with.
#[derive(Debug, Args)]
pub struct Soak {
    #[arg(long, default_value_t = 300)]
    seconds: u32,
    #[arg(long, default_value_t = 200)]
    clients: u32,
    /// The same seed makes the same targets fail at the same times
    #[arg(long, default_value_t = 4)]
    seed: u64,
    /// Optimise
    #[arg(long)]
    release: bool,
}

/// Runs the soak of the server's tests, `server/tests/process/soak`, for that long.
pub fn soak(soak: &Soak) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let mut cargo = workspace.cargo();
    cargo.args(["test", "--package", "server", "--test", "process"]);
    if Profile::chosen(soak.release) == Profile::Release {
        cargo.arg("--release");
    }
    cargo
        .args(["soak::", "--", "--nocapture"])
        .env("SOAK_SECONDS", soak.seconds.to_string())
        .env("SOAK_CLIENTS", soak.clients.to_string())
        .env("SOAK_SEED", soak.seed.to_string());
    run(&mut cargo)?;
    Ok(ExitCode::SUCCESS)
}
