//! What upstreams speak: one folder a protocol.

pub mod openai_chat;
