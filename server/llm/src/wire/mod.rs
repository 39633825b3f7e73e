//! What the protocols' bytes look like, for dialects and codecs alike: one folder a protocol.

pub(crate) mod anthropic;
pub(crate) mod gemini;
pub(crate) mod openai_chat;
pub(crate) mod openai_responses;
pub(crate) mod state;
