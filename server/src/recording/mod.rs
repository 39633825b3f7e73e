//! What is kept of each request, and how it reaches the database without anyone waiting for it.
//!
//! Records go through a bounded queue to one writer task, which commits them in batches. While the
//! database does not take them they go to a spool on disk, and from there to the database later.

mod estimate;
mod heard;
pub mod record;
mod recorder;
pub mod request;
mod settings;
mod spool;
mod state;
pub mod trial;
mod writer;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

pub use heard::Ear;
pub use record::RequestRecord;
pub use recorder::Recorder;
pub use settings::RecordingSettings;
pub(crate) use spool::spooled;
