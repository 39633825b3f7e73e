//! Anthropic Messages: <https://docs.anthropic.com/en/api/messages>

mod citation;
mod error;
mod input;
mod request;
mod stop;
mod usage;

pub(crate) use citation::{read_citation, sayable, write_citation};
pub(crate) use error::{read_error, status_of, write_error};
pub(crate) use input::{FREE_TEXT, allowed_word, empty_object, input_object};
pub(crate) use request::{RequestLayout, SystemPlace, not_json, scan_request};
pub(crate) use stop::{read_stop, write_stop};
pub(crate) use usage::{Counts, write_usage};

/// The version that a body is written for where the client did not choose one. It is the newest that
/// takes sampling parameters: <https://docs.anthropic.com/en/api/versioning>
pub(crate) const VERSION: &str = "2023-06-01";
