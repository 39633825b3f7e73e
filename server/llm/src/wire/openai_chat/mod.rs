//! OpenAI Chat Completions: <https://platform.openai.com/docs/api-reference/chat>

mod citation;
mod defaults;
mod error;
mod reply;
mod request;
mod seal;
mod usage;

pub(crate) use citation::read_citations;
pub(crate) use defaults::says_nothing;
pub(crate) use error::{ErrorBody, read_error, write_error};
pub(crate) use reply::{ReplyScan, ReplyState, scan_reply};
pub(crate) use request::{RequestLayout, StreamOptions, scan_request};
pub(crate) use seal::{SealKind, read_seal, write_detail};
pub(crate) use usage::usage_object;
