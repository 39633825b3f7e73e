//! Payload logging: what requests and replies said, of those that an operator wants to see. Off unless it is switched on.
//!
//! A request that is wanted carries a [`Capture`] in its recording. When it ends, the capture goes to a bounded queue and
//! from there, with credentials and personal data masked, to a file of its own beside the database: `gateway.db.payloads`.
//! Nobody waits for it: what the queue does not take is dropped, and counted.

mod capture;
mod log;
mod masks;
mod rules;
pub(crate) mod split;

#[cfg(test)]
mod tests;

pub use capture::Capture;
pub use log::PayloadLog;
pub use rules::{Payloads, check};
