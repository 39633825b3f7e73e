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
        "the database {path} was written by a newer version of the gateway (schema {found}, this one knows {known}): \
         start that version, or choose another file with database.url", path = path.display()
    )]
    NewerSchema {
        path: PathBuf,
        found: i64,
        known: i64,
    },
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
