//! What an upstream answered.

use bytes::Bytes;

use crate::chat::Usage;
use crate::embeddings::{EmbeddingsRequest, Vector};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{Edit, object, quote, splice};
use crate::reply;
use crate::segments::Segments;
use crate::text::Text;

/// Vectors, in the order of the inputs.
#[derive(Clone, Debug, Default)]
pub struct EmbeddingsResponse {
    /// The upstream's name of the model; may be empty.
    pub model: Text,
    pub vectors: Vec<Vector>,
    pub usage: Option<Usage>,
    /// The upstream's own bytes, where they are what the client reads.
    pub(super) raw: Option<Raw>,
}

/// A reply in OpenAI's shape, with the vectors written as the client asked for.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub body: Bytes,
    /// Where the model's name stands, quotes included.
    pub model: Option<std::ops::Range<usize>>,
}

impl EmbeddingsResponse {
    /// # Errors
    /// There are not as many vectors as there were inputs: `body` is an error, or incomplete.
    pub(super) fn checked(
        self,
        request: &EmbeddingsRequest,
        body: &Bytes,
    ) -> Result<Self, ApiError> {
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

    /// The client's body, in its shape, with the client's name of the model.
    pub fn encode(&self, request: &EmbeddingsRequest) -> Segments {
        if let Some(contents) = &request.contents {
            return contents.reply(&self.vectors, self.usage);
        }
        let model = request.model.as_deref().unwrap_or(&self.model);
        if let Some(raw) = &self.raw {
            let edits = raw.model.iter().map(|span| Edit {
                span: span.clone(),
                with: quote(model),
            });
            return splice(&raw.body, edits.collect());
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
