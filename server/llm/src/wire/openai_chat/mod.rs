//! OpenAI Chat Completions: <https://platform.openai.com/docs/api-reference/chat>

mod defaults;
mod error;
mod reply;
mod request;
mod usage;

pub(crate) use defaults::says_nothing;
pub(crate) use error::{ErrorBody, read_error, write_error};
pub(crate) use reply::{ReplyScan, ReplyState, scan_reply};
pub(crate) use request::{RequestLayout, StreamOptions, scan_request};
pub(crate) use usage::usage_object;
