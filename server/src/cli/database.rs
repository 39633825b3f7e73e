//! Commands about the database: which one, and what they say.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use shared::audit::ChainReport;

use super::{counted, print, refuse};
use crate::config::{self, Choice, ConfigErrors, sqlite_file};
use crate::store;

/// Which database.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseChoice {
    /// The configuration that names the database; without it, the one that would be served
    #[arg(long, value_name = "FILE", conflicts_with = "database")]
    config: Option<PathBuf>,
    /// The database file itself
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
}

impl DatabaseChoice {
    /// The file that is meant.
    pub(super) fn path(&self) -> Result<PathBuf, Failed> {
        if let Some(path) = &self.database {
            return Ok(path.clone());
        }
        let choice = self.config.clone().map_or(Choice::Found, Choice::Named);
        let loaded = config::load(&choice).map_err(Failed::Config)?;
        sqlite_file(&loaded.config.database.url)
            .map(PathBuf::from)
            .map_err(|error| Failed::Other(anyhow::anyhow!("database.url: {error}")))
    }
}

/// Why a command was not carried out.
pub(super) enum Failed {
    Config(ConfigErrors),
    Other(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// What a command did, as an exit code.
pub(super) fn ended(result: Result<ExitCode, Failed>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(Failed::Config(errors)) => refuse(&errors),
        Err(Failed::Other(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs something that waits for the database.
pub(super) fn run<T>(task: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("could not start the runtime")?;
    Ok(runtime.block_on(task))
}

/// `audit verify`: 0 where the log is what was written, else 1.
pub fn verify_audit(database: &DatabaseChoice, includes: Option<&str>) -> ExitCode {
    ended(verified(database, includes))
}

fn verified(database: &DatabaseChoice, includes: Option<&str>) -> Result<ExitCode, Failed> {
    let path = database.path()?;
    let report = run(store::verify_audit_of(&path, includes))?
        .with_context(|| format!("the audit log of {} cannot be read", path.display()))?;
    let ChainReport {
        entries,
        last_hash,
        problems,
        intact,
    } = report;
    let entries = counted(usize::try_from(entries).unwrap_or(usize::MAX), "entry");
    let last = last_hash.map_or_else(String::new, |hash| format!(", the last hash is {hash}"));
    for problem in &problems {
        eprintln!("error: {}", problem.message);
    }
    let path = path.display();
    Ok(match intact {
        true => {
            print(&format!(
                "OK: the audit log of {path} has {entries}{last}\n"
            ));
            ExitCode::SUCCESS
        }
        false => {
            eprintln!("the audit log of {path} is not what was written: it has {entries}{last}");
            ExitCode::FAILURE
        }
    })
}
