//! `cargo xtask serve`: build, then become the gateway.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::{build, cargo::Profile};

/// Builds and runs the gateway in the caller's working directory.
///
/// On Unix the process is replaced: signals and the exit code are the gateway's own.
pub fn serve(profile: Profile, args: &[String]) -> Result<ExitCode> {
    let binary = build::build(profile, None)?;
    let mut command = Command::new(&binary);
    command.args(args);

    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        Err(command.exec()).with_context(|| format!("cannot run {}", binary.display()))
    }
    #[cfg(not(unix))]
    {
        let status = command
            .status()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }
}
