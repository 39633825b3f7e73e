//! Gemini's `generateContent`: <https://ai.google.dev/api/generate-content>
//!
//! Protocol buffers written as JSON: a field may be spelled `maxOutputTokens` or `max_output_tokens`, one that has
//! its type's default may be missing, and bytes are base64 of either alphabet.

mod bytes;
mod error;
mod finish;
mod names;
mod part;
mod usage;

pub(crate) use bytes::standard_base64;
pub(crate) use error::{ErrorBody, read_error, write_error};
pub(crate) use finish::{read_finish, write_finish};
pub(crate) use names::{camel, items, member};
pub(crate) use part::{Call, Part, PartData, PartWriter, media_kind, read_part, write_media};
pub(crate) use usage::{read_usage, write_usage};
