//! What an upstream answered.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::chat::Usage;
use crate::embeddings::{EmbeddingsRequest, Vector};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::object;
use crate::reply::{self, Raw};
use crate::segments::Segments;
use crate::text::Text;

/// Vectors, in the order of the inputs.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct EmbeddingsResponse {
    /// The upstream's name of the model; may be empty.
    pub model: Text,
    /// None, where the client reads the upstream's own bytes and the response is [`detached`](Self::detached).
    pub vectors: Vec<Vector>,
    pub usage: Option<Usage>,
    /// In OpenAI's shape, where the client speaks it, with the vectors written as it asked for.
    pub(super) raw: Option<Raw>,
}

impl EmbeddingsResponse {
    /// # Errors
    /// There are not as many vectors as there were inputs: `body` is an error, or incomplete.
    pub(super) fn checked(
        mut self,
        request: &EmbeddingsRequest,
        body: &Bytes,
    ) -> Result<Self, ApiError> {
        if request.contents.is_some() {
            self.raw = None;
        }
        let (found, wanted) = (self.vectors.len(), request.input.len());
        if found == wanted {
            return Ok(self);
        }
        if let Some(error) = reply::told(body).filter(|_| found == 0) {
            return Err(error);
        }
        let message = format!("the upstream answered {found} vectors for {wanted} inputs");
        Err(ApiError::new(
            ErrorKind::BadReply,
            ErrorSource::Provider,
            message,
        ))
    }

    /// The same with bytes of its own, and no more of them than the client reads.
    #[must_use]
    pub fn detached(&self) -> Self {
        let raw = self.raw.as_ref();
        let vectors = self.vectors.iter().filter(|_| raw.is_none());
        Self {
            model: Text::from(self.model.as_str()),
            vectors: vectors.map(Vector::detached).collect(),
            usage: self.usage,
            raw: raw.map(Raw::detached),
        }
    }

    /// Whether each vector has numbers, and nothing else in it.
    pub fn is_whole(&self) -> bool {
        self.vectors.iter().all(Vector::is_whole)
    }

    /// How long the vectors are as they are written, in bytes, and what they take beside.
    pub fn written_len(&self) -> usize {
        let vectors = self
            .vectors
            .iter()
            .map(|vector| vector.written().len() + 64);
        let raw = self.raw.as_ref().map(|raw| raw.body.len());
        raw.unwrap_or_else(|| vectors.sum())
    }

    /// The client's body, in its shape, with the client's name of the model.
    pub fn encode(&self, request: &EmbeddingsRequest) -> Segments {
        if let Some(contents) = &request.contents {
            return contents.reply(&self.vectors, self.usage);
        }
        let model = request.model.as_deref().unwrap_or(&self.model);
        if let Some(raw) = &self.raw {
            return raw.named(model);
        }
        let tokens = self.usage.unwrap_or_default().input_tokens;
        let body = object(|body| {
            body.string("object", "list");
            body.array("data", |data| {
                for (index, vector) in self.vectors.iter().enumerate() {
                    data.object(|item| {
                        item.string("object", "embedding");
                        item.plain("index", index);
                        vector.write(request.encoding, item.member("embedding"));
                    });
                }
            });
            body.string("model", model);
            body.object("usage", |usage| {
                usage.plain("prompt_tokens", tokens);
                usage.plain("total_tokens", tokens);
            });
        });
        Segments::from(body)
    }
}
