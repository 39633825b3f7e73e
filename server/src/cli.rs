//! The command line.

mod database;

pub use database::{DatabaseChoice, MigrationChoice, backup, migrate, restore, verify_audit};

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::{self, Choice, Config, ConfigErrors, Environment, Loaded, Problem};

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Serve, with this configuration.
    Serve(Choice),
    /// Say whether this configuration is valid: [`check`].
    Check(Choice),
    /// Print this configuration as it holds: [`dump`].
    Dump(Choice),
    /// Print another gateway's file as a native one: [`import`].
    Import(PathBuf),
    /// Say whether the audit log is what was written: [`verify_audit`].
    VerifyAudit {
        database: DatabaseChoice,
        /// A hash that it has to have.
        includes: Option<String>,
    },
    /// Write the database to a file of its own: [`backup`].
    Backup {
        database: DatabaseChoice,
        to: PathBuf,
    },
    /// Put a backup in place of the database: [`restore`].
    Restore {
        database: DatabaseChoice,
        from: PathBuf,
    },
    /// Bring the database's schema up to date: [`migrate`].
    Migrate {
        database: DatabaseChoice,
        choice: MigrationChoice,
    },
}

/// What this process was asked to do. Prints help, version and usage errors itself, and then ends the process: with
/// 2 after an error.
pub fn parse() -> Command {
    Line::parse().meant().unwrap_or_else(|error| error.exit())
}

/// One self-hosted gateway for all AI providers.
///
/// Without a FILE the configuration is that of the environment variable GATEWAY_CONFIG, or else
/// config/$GATEWAY_ENV.toml, or else config/default.toml; where none is there, a simulated provider is served on
/// 127.0.0.1:8080. Every key can be overridden by an environment variable: GATEWAY_SERVER_PORT=9000.
#[derive(Debug, Parser)]
#[command(name = "ai-gateway", version, args_conflicts_with_subcommands = true)]
#[command(subcommand_precedence_over_arg = true)]
struct Line {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    file: File,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Serve (also without this word)
    Serve(File),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigTask),
    /// Look at the log of what operators have changed
    #[command(subcommand)]
    Audit(AuditTask),
    /// Write the database to a file of its own, also while the gateway runs
    ///
    /// What is kept beside the database is in it: records that wait in the spool, and what budgets have used. Logged
    /// payloads, the admin token and encryption keys are not.
    Backup {
        /// Where to, for example gateway-2026-11-21.backup; there must be no such file yet
        #[arg(value_name = "FILE")]
        to: PathBuf,
        #[command(flatten)]
        database: DatabaseChoice,
    },
    /// Put a backup in place of the database, while the gateway does not run
    ///
    /// The backup is checked first, and the database that is there is kept under another name.
    Restore {
        /// The backup
        #[arg(value_name = "FILE")]
        from: PathBuf,
        #[command(flatten)]
        database: DatabaseChoice,
    },
    /// Bring the database's schema up to date, as a start does, while the gateway does not run
    ///
    /// Migrations only go forward. To go back, restore a backup of the older version: one is made before each migration,
    /// beside the database (gateway.db.before-migration-…).
    Migrate {
        #[command(flatten)]
        choice: MigrationChoice,
        #[command(flatten)]
        database: DatabaseChoice,
    },
}

#[derive(Debug, Subcommand)]
enum AuditTask {
    /// Say whether the audit log is what was written, also while the gateway runs
    ///
    /// Entries that were altered, put in, moved or taken out are named, and the exit code is 1. The end is what it is
    /// only as far as the database says so itself: note the last hash elsewhere, and ask for it with --includes.
    Verify {
        #[command(flatten)]
        database: DatabaseChoice,
        /// A last hash that was told earlier: it has to be in the log still
        #[arg(long, value_name = "HASH")]
        includes: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigTask {
    /// Say whether the configuration is valid, and what is wrong with it
    Check(File),
    /// Print every key with its value and where that comes from, secrets masked
    Dump(File),
    /// Print another gateway's configuration as this one's, with a grade for every setting
    ///
    /// Secrets become variables, which are named. Read are LiteLLM's config.yaml, the Ballerina gateway's Config.toml,
    /// the provider pool's YAML, and the TOML of the router (it has a daemon and backends) and of the protocol converter
    /// (it has upstreams and routes). All of them can also be served as they are.
    Import {
        /// The other gateway's file (TOML or YAML)
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
struct File {
    /// The configuration file (TOML or YAML)
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,
    /// The same
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Line {
    fn meant(self) -> Result<Command, clap::Error> {
        if let (None, Some(word)) = (&self.task, &self.file.file) {
            refuse_misspelt_command(word)?;
        }
        Ok(match self.task {
            None => Command::Serve(self.file.choice()),
            Some(Task::Serve(file)) => Command::Serve(file.choice()),
            Some(Task::Config(ConfigTask::Check(file))) => Command::Check(file.choice()),
            Some(Task::Config(ConfigTask::Dump(file))) => Command::Dump(file.choice()),
            Some(Task::Config(ConfigTask::Import { file })) => Command::Import(file),
            Some(Task::Audit(AuditTask::Verify { database, includes })) => {
                Command::VerifyAudit { database, includes }
            }
            Some(Task::Backup { to, database }) => Command::Backup { database, to },
            Some(Task::Restore { from, database }) => Command::Restore { database, from },
            Some(Task::Migrate { choice, database }) => Command::Migrate { database, choice },
        })
    }
}

impl File {
    fn choice(self) -> Choice {
        self.file
            .or(self.config)
            .map_or(Choice::Found, Choice::Named)
    }
}

/// `ai-gateway sevre` means no file called `sevre`.
fn refuse_misspelt_command(word: &Path) -> Result<(), clap::Error> {
    let bare = word.extension().is_none() && word.components().count() == 1;
    if !bare || word.exists() {
        return Ok(());
    }
    Err(Line::command().error(
        clap::error::ErrorKind::InvalidSubcommand,
        format!(
            "\"{}\" is neither a command nor a file; the commands are serve, config, audit, \
             backup, restore and migrate",
            word.display()
        ),
    ))
}

/// `config check`: prints what is wrong to standard error and gives 1, or prints a summary and gives 0.
pub fn check(choice: &Choice) -> ExitCode {
    match config::load(choice) {
        Ok(loaded) => {
            print_warnings(&loaded.warnings);
            print(&format!("{}\n", summary(&loaded)));
            ExitCode::SUCCESS
        }
        Err(errors) => refuse(&errors),
    }
}

/// `config dump`: prints the configuration as it holds, as TOML with secrets masked, and gives 0; or as [`check`].
pub fn dump(choice: &Choice) -> ExitCode {
    match config::load(choice) {
        Ok(loaded) => {
            print_warnings(&loaded.warnings);
            print(&loaded.effective.to_toml());
            ExitCode::SUCCESS
        }
        Err(errors) => refuse(&errors),
    }
}

/// `config import`: prints a file of another gateway as a native one, as TOML, and gives 0; or as [`check`].
pub fn import(file: &Path) -> ExitCode {
    match config::import(file, &Environment::of_process()) {
        Ok(imported) => {
            print(&imported.toml);
            ExitCode::SUCCESS
        }
        Err(errors) => refuse(&errors),
    }
}

/// Prints what is wrong with a configuration to standard error, and gives the exit code for it: 1.
pub fn refuse(errors: &ConfigErrors) -> ExitCode {
    print_warnings(&errors.warnings);
    for problem in &errors.problems {
        eprintln!("error: {problem}");
    }
    let count = errors.problems.len();
    eprintln!(
        "the configuration is invalid: {}",
        counted(count, "problem")
    );
    ExitCode::FAILURE
}

/// `config dump | head` closes the pipe early, which is no reason to panic.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn print_warnings(warnings: &[Problem]) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
}

fn summary(loaded: &Loaded) -> String {
    let Config {
        server,
        admin,
        providers,
        models,
        keys,
        ..
    } = &loaded.config;
    let file = match &loaded.file {
        Some(file) => file.display().to_string(),
        None => "no file, defaults".to_owned(),
    };
    let enabled = providers.iter().filter(|provider| provider.enabled).count();
    format!(
        "ok: {file}: {}, {}, {}, {}; serves on {}, dashboard on {}",
        counted(enabled, "enabled provider"),
        counted(models.len(), "model"),
        counted(keys.len(), "key"),
        counted(loaded.warnings.len(), "warning"),
        SocketAddr::from((server.host, server.port)),
        SocketAddr::from((admin.host, admin.port)),
    )
}

fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if !noun.ends_with("ey") => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Choice, Command, DatabaseChoice, Line, MigrationChoice};

    fn parsed(arguments: &[&str]) -> Result<Command, clap::Error> {
        let program = ["ai-gateway"].iter();
        Line::try_parse_from(program.chain(arguments))?.meant()
    }

    fn named(file: &str) -> Choice {
        Choice::Named(file.into())
    }

    #[test]
    fn is_sound() {
        Line::command().debug_assert();
    }

    #[test]
    fn understands_commands() {
        for (arguments, command) in [
            (&[][..], Command::Serve(Choice::Found)),
            (&["serve"], Command::Serve(Choice::Found)),
            (&["a.toml"], Command::Serve(named("a.toml"))),
            (&["--config", "a.toml"], Command::Serve(named("a.toml"))),
            (&["serve", "a.toml"], Command::Serve(named("a.toml"))),
            (
                &["serve", "--config", "a.toml"],
                Command::Serve(named("a.toml")),
            ),
            (&["config", "check"], Command::Check(Choice::Found)),
            (
                &["config", "check", "a.yaml"],
                Command::Check(named("a.yaml")),
            ),
            (
                &["config", "check", "--config", "a.yaml"],
                Command::Check(named("a.yaml")),
            ),
            (&["config", "dump"], Command::Dump(Choice::Found)),
            (
                &["config", "dump", "a.yaml"],
                Command::Dump(named("a.yaml")),
            ),
            (
                &["config", "import", "a.yaml"],
                Command::Import("a.yaml".into()),
            ),
            (
                &["audit", "verify", "--includes", "ab"],
                Command::VerifyAudit {
                    database: DatabaseChoice::default(),
                    includes: Some("ab".to_owned()),
                },
            ),
            (
                &["backup", "a.backup"],
                Command::Backup {
                    database: DatabaseChoice::default(),
                    to: "a.backup".into(),
                },
            ),
            (
                &["restore", "a.backup"],
                Command::Restore {
                    database: DatabaseChoice::default(),
                    from: "a.backup".into(),
                },
            ),
            (
                &["migrate", "--to", "latest"],
                Command::Migrate {
                    database: DatabaseChoice::default(),
                    choice: MigrationChoice::default(),
                },
            ),
        ] {
            let found = parsed(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
            assert_eq!(found, command, "{arguments:?}");
        }
    }

    #[test]
    fn usage_errors_end_with_2() {
        for arguments in [
            &["--prot", "80"][..],
            &["sevre"],
            &["config"],
            &["config", "chekc"],
            &["a.toml", "b.toml"],
            &["a.toml", "--config", "b.toml"],
            &["--config"],
            &["config", "import"],
            &["audit"],
            &["backup"],
            &["restore"],
            &["migrate", "--to", "yesterday"],
            &["migrate", "--to", "-1"],
            &[
                "audit",
                "verify",
                "--config",
                "a.toml",
                "--database",
                "a.db",
            ],
        ] {
            let error = parsed(arguments).expect_err("no such usage");
            assert_eq!(error.exit_code(), 2, "{arguments:?}: {error}");
        }
    }
}
