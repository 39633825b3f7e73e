//! What upstreams speak: one folder a protocol.

pub(crate) mod failure;
pub mod openai_chat;
