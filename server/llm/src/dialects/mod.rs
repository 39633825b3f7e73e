//! What clients speak: one folder a protocol.

pub mod openai_chat;
