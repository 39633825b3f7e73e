//! Commands about the database: which one, and what they say.

use std::path::{Path, PathBuf};
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

/// `backup`: writes the database to a file of its own.
pub fn backup(database: &DatabaseChoice, to: &Path) -> ExitCode {
    ended(backed_up(database, to))
}

fn backed_up(database: &DatabaseChoice, to: &Path) -> Result<ExitCode, Failed> {
    let path = database.path()?;
    let made = run(store::back_up(&path, to))?.context("no backup was made")?;
    let open = match made.open {
        0 => String::new(),
        open => format!(
            "; {} under a budget {} under way, counted at the most that may be spent",
            counted(open, "request"),
            if open == 1 { "was" } else { "were" }
        ),
    };
    if made.left_in_spool > 0 {
        eprintln!(
            "warning: {} in {}.spool not in it: the database is of an older version than this program, which takes \
             them in once it has served",
            match made.left_in_spool {
                1 => "1 record is".to_owned(),
                records => format!("{records} records are"),
            },
            path.display()
        );
    }
    print(&format!(
        "OK: {} is a backup of {}: schema {}, {} bytes{open}\n",
        to.display(),
        path.display(),
        made.schema,
        made.bytes
    ));
    Ok(ExitCode::SUCCESS)
}

/// `restore`: puts a backup in place of the database.
pub fn restore(database: &DatabaseChoice, from: &Path) -> ExitCode {
    ended(restored(database, from))
}

fn restored(database: &DatabaseChoice, from: &Path) -> Result<ExitCode, Failed> {
    let path = database.path()?;
    let restored = run(store::restore(from, &path))?.context("nothing was restored")?;
    let older = match store::latest_schema() {
        latest if restored.schema < latest => {
            format!("; it is brought up to schema {latest} when the gateway starts")
        }
        _ => String::new(),
    };
    print(&format!(
        "OK: {} is what {} holds: schema {}{older}\n",
        path.display(),
        from.display(),
        restored.schema
    ));
    if let Some(before) = restored.before {
        print(&format!("What was there is kept as {}\n", before.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// How a database is to be brought up to date.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationChoice {
    /// Up to this version of the schema, or `latest`. Migrations only go forward: the way back is a backup
    #[arg(long, value_name = "VERSION", default_value = "latest", value_parser = schema)]
    to: Schema,
    /// Say what would be done, and try it on a copy
    #[arg(long)]
    dry_run: bool,
    /// Make no backup before, for example because there is no room for one
    #[arg(long)]
    without_backup: bool,
}

/// A version of the schema; `None`: the latest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schema(Option<i64>);

fn schema(text: &str) -> Result<Schema, String> {
    match text {
        "latest" => Ok(Schema(None)),
        number => match number.parse() {
            Ok(number) if number > 0 => Ok(Schema(Some(number))),
            _ => Err("neither a number nor `latest`".to_owned()),
        },
    }
}

/// `migrate`: brings the schema up to date without serving.
pub fn migrate(database: &DatabaseChoice, choice: &MigrationChoice) -> ExitCode {
    ended(migrated(database, choice))
}

fn migrated(database: &DatabaseChoice, choice: &MigrationChoice) -> Result<ExitCode, Failed> {
    let path = database.path()?;
    let to = choice.to.0;
    let migrated = match choice.dry_run {
        true => run(store::try_migration(&path, to))?,
        false => run(store::migrate_to(&path, to, !choice.without_backup))?,
    };
    let migrated = migrated.context("the database was not migrated")?;
    let name = path.display();
    let Some(last) = migrated.steps.last() else {
        print(&format!(
            "OK: {name} has schema {} already\n",
            migrated.from
        ));
        return Ok(ExitCode::SUCCESS);
    };
    for step in &migrated.steps {
        print(&format!("{:4}  {}\n", step.version, step.name));
    }
    let (from, to) = (migrated.from, last.version);
    print(&match choice.dry_run {
        true => format!("OK: {name} would go from schema {from} to {to}; it works on a copy\n"),
        false => format!("OK: {name} went from schema {from} to {to}\n"),
    });
    if let Some(backup) = migrated.backup {
        print(&format!("As it was it is kept in {}\n", backup.display()));
    }
    Ok(ExitCode::SUCCESS)
}
