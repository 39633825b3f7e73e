//! Vectors of texts: <https://platform.openai.com/docs/api-reference/embeddings>
//!
//! Clients speak OpenAI's shape, or Gemini's. An upstream of the same shape is sent the client's own bytes; what another one
//! cannot be told is named in [`WireRequest::losses`].

mod cohere;
mod contents;
mod gemini;
mod ollama;
mod openai;
mod request;
mod response;
mod scan;
mod vector;

use std::fmt;

use bytes::Bytes;

pub use cohere::CohereEmbeddings;
pub use gemini::GeminiEmbeddings;
pub use ollama::OllamaEmbeddings;
pub use openai::OpenAiEmbeddings;
pub use request::{EmbeddingsRequest, Encoding, Input};
pub use response::EmbeddingsResponse;
pub use vector::Vector;

use crate::chat::Losses;
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::ApiError;
use crate::json::ObjectWriter;
use crate::text::Text;

/// One upstream protocol for embeddings. Pure: no clock, no randomness, no network.
///
/// Replies with an error status are read by the provider's [`ChatCodec`](crate::ChatCodec): its errors have one shape.
pub trait EmbeddingsCodec: Send + Sync + fmt::Debug {
    /// The upstream's request.
    ///
    /// # Errors
    /// What cannot be left out without changing what is asked for: inputs of tokens where only text is known.
    fn encode_request(
        &self,
        request: &EmbeddingsRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError>;

    /// Reads a reply that came with a 2xx status.
    ///
    /// # Errors
    /// Not what the protocol says, not as many vectors as there were inputs, or an error object under a good status.
    fn decode_response(
        &self,
        request: &EmbeddingsRequest,
        form: &ReplyForm,
        body: Bytes,
    ) -> Result<EmbeddingsResponse, ApiError>;
}

/// The inputs as texts.
///
/// # Errors
/// They are tokens, which only the tokenizer that made them can read.
fn texts(request: &EmbeddingsRequest) -> Result<&[Text], ApiError> {
    only_text(request)?;
    request.texts().ok_or_else(|| {
        let message = "This model takes texts: 'input' cannot be arrays of tokens.";
        ApiError::invalid(message)
            .with_code("unsupported_value")
            .with_param("input")
    })
}

/// # Errors
/// There is something in it that is no text.
fn only_text(request: &EmbeddingsRequest) -> Result<(), ApiError> {
    if request
        .contents
        .as_ref()
        .is_none_or(|contents| contents.plain)
    {
        return Ok(());
    }
    let message = "This model takes texts: 'content' cannot hold anything else.";
    Err(ApiError::invalid(message)
        .with_code("unsupported_value")
        .with_param("content"))
}

/// Notes what an upstream of another protocol than the client's is not told: `user`, and what is not in `known`.
fn note_others(request: &EmbeddingsRequest, known: &[&str], losses: &mut Losses) {
    if request.user.is_some() {
        losses.drop("user");
    }
    for (name, _) in &request.others {
        if !known.contains(&name.as_str()) {
            losses.drop(name.to_string());
        }
    }
}

/// Passes on parameters that the client took from the upstream's own protocol.
fn pass_on(request: &EmbeddingsRequest, known: &[&str], body: &mut ObjectWriter<'_>) {
    for (name, value) in &request.others {
        if known.contains(&name.as_str()) {
            body.json(name, value);
        }
    }
}
