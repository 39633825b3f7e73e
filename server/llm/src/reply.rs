//! Replies that are one JSON document, of the endpoints beside chat.

use bytes::Bytes;

use serde::{Deserialize, Serialize};

use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{Edit, JsonError, Node, Span, quote, splice};
use crate::segments::Segments;

/// The upstream's own bytes, which are what the client reads.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Raw {
    #[serde(with = "as_text")]
    pub body: Bytes,
    /// Where the model's name stands, quotes included.
    pub model: Option<Span>,
}

impl Raw {
    /// With the client's name of the model.
    pub fn named(&self, model: &str) -> Segments {
        let edits = self.model.iter().map(|span| Edit {
            span: span.clone(),
            with: quote(model),
        });
        splice(&self.body, edits.collect())
    }

    /// The same with bytes of its own.
    pub fn detached(&self) -> Self {
        Self {
            body: Bytes::copy_from_slice(&self.body),
            model: self.model.clone(),
        }
    }
}

/// JSON, which is text.
pub(crate) mod as_text {
    use bytes::Bytes;
    use serde::ser::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(body).map_err(S::Error::custom)?)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        String::deserialize(deserializer).map(Bytes::from)
    }
}

/// Reads a reply; one that is an error is told as such.
pub(crate) fn parse(body: &Bytes) -> Result<Node<'_>, ApiError> {
    let root = Node::parse(body).map_err(|error| bad(&error))?;
    match error_of(&root) {
        Some(error) => Err(error),
        None => Ok(root),
    }
}

/// Why a reply could not be read: it is an error, or nothing that its protocol knows.
pub(crate) fn not_as_expected(body: &Bytes, error: &JsonError) -> ApiError {
    told(body).unwrap_or_else(|| bad(error))
}

/// The error that a reply with a good status is, if it is one.
pub(crate) fn told(body: &Bytes) -> Option<ApiError> {
    error_of(&Node::parse(body).ok()?)
}

/// `{"error":{"message":…}}`, `{"error":"…"}`, or `{"message":…}` and nothing else of note.
fn error_of(root: &Node<'_>) -> Option<ApiError> {
    let error = root.get("error").or_else(|| root.get("message"))?;
    let message = error.get("message").unwrap_or(error);
    let message = message
        .text()
        .map(|text| text[..text.floor_char_boundary(2_000)].to_owned())
        .unwrap_or_else(|_| "The upstream reported an error and did not say which.".to_owned());
    let error = ApiError::new(ErrorKind::UpstreamFailed, ErrorSource::Provider, message);
    Some(error)
}

fn bad(error: &JsonError) -> ApiError {
    let message = format!("the upstream's reply is not what it should be: {error}");
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
}
