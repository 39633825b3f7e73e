//! OpenAI Responses: <https://platform.openai.com/docs/api-reference/responses>

mod citation;
mod logprobs;
mod usage;

pub(crate) use citation::{read_citation, write_citation};
pub(crate) use logprobs::{read_logprobs, write_logprobs};
pub(crate) use usage::{read_usage, write_usage};

use crate::chat::Seal;
use crate::text::Text;

/// What ids of reasoning items begin with that the gateway made up: no upstream knows them.
pub(crate) const OWN_REASONING: &str = "rs_aigw";

/// What those of them begin with that hold the thought and its seal themselves ([`Seal::id_with`]), for clients that
/// only refer to what they were told.
const TELLING: &str = "rs_aigw-";

/// An id that holds a thought and its seal, unless it would be too long.
pub(crate) fn telling_id(seal: &Seal, thought: &str) -> Option<String> {
    Some(format!("{TELLING}{}", seal.id_with(thought)?))
}

/// What such an id holds.
pub(crate) fn told_by_id(id: &str) -> Option<(Seal, Text)> {
    Seal::of_id(id.strip_prefix(TELLING)?)
}
