//! Texts put in order of their relevance to a query.
//!
//! Clients speak Cohere's shape, version 1 (`/v1/rerank`, which is Jina's as well) or 2 (`/v2/rerank`):
//! <https://docs.cohere.com/reference/rerank>, <https://jina.ai/reranker>. An upstream of the same shape is sent the
//! client's own bytes; what another one cannot be told is named in [`WireRequest::losses`].

mod cohere;
mod jina;
mod request;
mod response;
mod tei;

use std::fmt;

use bytes::Bytes;

pub use cohere::CohereRerank;
pub use jina::JinaRerank;
pub use request::{Document, RerankRequest, Shape};
pub use response::{Ranked, RerankResponse};
pub use tei::TeiRerank;

use crate::chat::Losses;
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::ApiError;
use crate::json::{Node, ShapeError};

/// One upstream protocol for reranking. Pure: no clock, no randomness, no network.
///
/// Replies with an error status are read by the provider's [`ChatCodec`](crate::ChatCodec): its errors have one shape.
pub trait RerankCodec: Send + Sync + fmt::Debug {
    /// The upstream's request.
    ///
    /// # Errors
    /// What cannot be left out without changing what is asked for: documents that are no text.
    fn encode_request(
        &self,
        request: &RerankRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError>;

    /// Reads a reply that came with a 2xx status.
    ///
    /// # Errors
    /// Not what the protocol says, or an error object under a good status.
    fn decode_response(
        &self,
        request: &RerankRequest,
        form: &ReplyForm,
        body: Bytes,
    ) -> Result<RerankResponse, ApiError>;
}

/// Notes parameters that have no name here.
fn note_others(request: &RerankRequest, losses: &mut Losses) {
    for name in &request.others {
        losses.drop(name.to_string());
    }
}

/// An upstream's results, in its order.
fn results(list: &Node<'_>, score: &str) -> Result<Vec<Ranked>, ShapeError> {
    let result = |item: &Node<'_>| {
        Ok(Ranked {
            index: item.require("index")?.u64()?,
            score: item.require(score)?.number()?,
        })
    };
    list.array()?.iter().map(result).collect()
}
