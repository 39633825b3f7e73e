//! Hugging Face's Text Embeddings Inference: <https://huggingface.github.io/text-embeddings-inference/>

use bytes::Bytes;

use super::{RerankCodec, RerankRequest, RerankResponse};
use crate::chat::Losses;
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::ApiError;
use crate::json::object;
use crate::reply;
use crate::segments::Segments;

/// The codec. A server has one model, which is not named; it ranks all documents, and tells no usage.
#[derive(Clone, Copy, Debug)]
pub struct TeiRerank;

impl RerankCodec for TeiRerank {
    fn encode_request(
        &self,
        request: &RerankRequest,
        _: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        let mut losses = Losses::default();
        super::note_others(request, &mut losses);
        if request.max_tokens_per_doc.is_some() {
            losses.drop("max_tokens_per_doc");
        }
        let texts = request.texts()?;
        let body = object(|body| {
            body.string("query", &request.query);
            body.array("texts", |items| {
                for text in texts {
                    items.string(text);
                }
            });
            // As the others do, who rank what is too long by its beginning.
            body.plain("truncate", true);
        });
        let form = ReplyForm::default();
        let body = Segments::from(body);
        Ok(WireRequest::post_json(
            "/rerank".to_owned(),
            body,
            losses,
            form,
        ))
    }

    fn decode_response(
        &self,
        request: &RerankRequest,
        _: &ReplyForm,
        body: Bytes,
    ) -> Result<RerankResponse, ApiError> {
        let root = reply::parse(&body)?;
        let mut results = super::results(&root, "score").map_err(|error| error.bad_reply())?;
        if let Some(most) = request.top_n {
            results.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        }
        Ok(RerankResponse {
            results,
            ..RerankResponse::default()
        })
    }
}
