//! OpenAI Chat Completions: <https://platform.openai.com/docs/api-reference/chat>

mod citation;
mod defaults;
mod error;
mod logprobs;
mod reply;
mod request;
mod seal;
mod url;
mod usage;

pub(crate) use citation::{read_citations, write_citation};
pub(crate) use defaults::says_nothing;
pub(crate) use error::{ErrorBody, error_words, read_error, write_error};
pub(crate) use logprobs::{read_logprobs, write_logprobs};
pub(crate) use reply::{ReplyScan, ReplyState, Started, scan_reply};
pub(crate) use request::{RequestLayout, StreamOptions, scan_request};
pub(crate) use seal::{read_detail, write_detail};
pub(crate) use url::{media_type_of, read_url};
pub(crate) use usage::write_usage;
