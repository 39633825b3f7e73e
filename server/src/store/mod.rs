//! The database: the only place that writes SQL.
//!
//! `requests` has one row a request; rollups are sums of them by the minute and the hour, which is
//! what dashboards read. See `migrations/` for the schema.

mod access;
mod answers;
mod audit;
mod backup;
mod blocks;
mod budgets;
mod changes;
mod commit;
mod database;
mod error;
mod export;
mod failures;
mod figures;
mod health;
mod histogram;
mod key_secrets;
mod lock;
mod migrations;
mod netstrings;
mod new_requests;
mod overview;
mod payloads;
mod recovery;
mod request_log;
mod requests;
mod retention;
mod rollups;
mod secrets;
mod settings;
mod usage;
mod varint;
mod watched_file;

#[cfg(test)]
mod tests;

pub use answers::StoredAnswer;
pub use audit::verify_audit_of;
pub use backup::{BackedUp, Restored, back_up, restore};
pub use changes::{Change, ChangedSecrets, What};
pub use commit::{Committed, Rollups};
pub use database::Store;
pub use error::StoreError;
pub use export::{ExportFormat, ExportPages, Snapshot, SnapshotError};
pub use failures::Failure;
pub use figures::Figures;
pub use health::DatabaseState;
pub use histogram::Histogram;
pub use lock::DatabaseLock;
pub use migrations::{Migrated, Step, latest_schema, migrate_to, try_migration};
pub use payloads::{PayloadStore, PayloadToStore, StoredPayload};
pub use request_log::LogPage;
pub use retention::Retention;
pub use rollups::PendingRollups;
pub use usage::UsageError;
