//! OpenAI Responses: <https://platform.openai.com/docs/api-reference/responses>

mod citation;
mod logprobs;
mod usage;

pub(crate) use citation::{read_citation, write_citation};
pub(crate) use logprobs::{read_logprobs, write_logprobs};
pub(crate) use usage::{read_usage, write_usage};

/// What ids of reasoning items begin with that the gateway made up: no upstream knows them.
pub(crate) const OWN_REASONING: &str = "rs_aigw";
