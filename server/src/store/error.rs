//! Why the database did not do what was asked.

use std::path::PathBuf;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The configured URL is not one that the gateway can open.
    #[error("database.url: {0}")]
    Url(&'static str),
    /// The file could not be opened or created.
    #[error("the database {path} cannot be opened: {source}", path = path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: sqlx::Error,
    },
    /// A newer gateway has changed the schema in ways that this one does not know.
    #[error(
        "the database {path} was written by a newer version of the gateway ({}schema {found}; this is {} and knows \
         schema {known}): start that version, restore a backup that this one made (`ai-gateway restore`), or choose \
         another file with database.url",
        .written_by.as_ref().map_or_else(String::new, |version| format!("{version}, ")),
        env!("CARGO_PKG_VERSION"),
        path = path.display()
    )]
    NewerSchema {
        path: PathBuf,
        found: i64,
        /// The gateway's version, where it is known.
        written_by: Option<String>,
        known: i64,
    },
    /// There never was such a version.
    #[error("there is no schema {wanted}: this version of the gateway knows up to {known}")]
    NoSuchSchema { wanted: i64, known: i64 },
    /// Migrations do not go back.
    #[error(
        "the database has schema {from}, and migrations only go forward: to go back to {wanted}, restore a backup of \
         that version (`ai-gateway restore`); one is made before each migration, beside the database"
    )]
    NoWayBack { from: i64, wanted: i64 },
    /// It was to be restored or migrated.
    #[error(
        "the database {path} is in use: stop the gateway first, or wait until a restore or a migration is done",
        path = path.display()
    )]
    InUse { path: PathBuf },
    /// A file of somebody else's, or an empty one.
    #[error("{path} is no database of the gateway's", path = path.display())]
    NoDatabase { path: PathBuf },
    /// SQLite's own check finds something.
    #[error("{path} is damaged: {found}", path = path.display())]
    Damaged { path: PathBuf, found: String },
    /// The schema could not be brought up to date.
    #[error("the database {path} could not be migrated: {source}", path = path.display())]
    Migration {
        path: PathBuf,
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// A statement failed: locked, disk full, read-only, damaged, …
    #[error("{0}")]
    Statement(#[from] sqlx::Error),
    /// A stored value is not what the gateway writes.
    #[error("the database holds a value that the gateway did not write: {0}")]
    Corrupt(String),
    /// The file system did not do what was asked.
    #[error("{path}: {source}", path = path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}
