//! The database: the only place that writes SQL.
//!
//! `requests` has one row a request; rollups are sums of them by the minute and the hour, which is
//! what dashboards read. See `migrations/` for the schema.

mod access;
mod answers;
mod audit;
mod backup;
mod budgets;
mod changes;
mod commit;
mod database;
mod error;
mod failures;
mod figures;
mod histogram;
mod key_secrets;
mod lock;
mod migrations;
mod overview;
mod recovery;
mod requests;
mod retention;
mod rollups;
mod secrets;
mod settings;
mod varint;
mod watched_file;

#[cfg(test)]
mod tests;

pub use answers::StoredAnswer;
pub use audit::verify_audit_of;
pub use backup::{BackedUp, Restored, back_up, restore};
pub use changes::{Change, What};
pub use commit::{Committed, Rollups};
pub use database::Store;
pub use error::StoreError;
pub use failures::Failure;
pub use figures::Figures;
pub use histogram::Histogram;
pub use lock::DatabaseLock;
pub use migrations::{Migrated, Step, latest_schema, migrate_to, try_migration};
pub use retention::Retention;
pub use rollups::PendingRollups;
