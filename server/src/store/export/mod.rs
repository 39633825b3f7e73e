//! What was recorded, for other programs: whole views a page at a time, and a database of its own.

mod csv;
mod json_lines;
mod pages;
mod snapshot;
mod value;

pub use pages::{ExportFormat, ExportPages};
pub use snapshot::{Snapshot, SnapshotError};
