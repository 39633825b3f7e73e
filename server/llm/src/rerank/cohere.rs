//! Cohere's Rerank, version 2: <https://docs.cohere.com/reference/rerank>

use bytes::Bytes;

use super::{RerankCodec, RerankRequest, RerankResponse, Shape};
use crate::carried::with_model;
use crate::chat::{Losses, Usage};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::ApiError;
use crate::json::{Node, ShapeError, object};
use crate::reply::{self, Raw};
use crate::segments::Segments;

/// The codec.
#[derive(Clone, Copy, Debug)]
pub struct CohereRerank;

impl RerankCodec for CohereRerank {
    fn encode_request(
        &self,
        request: &RerankRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        let mut losses = Losses::default();
        let carried = request.shape == Shape::V2;
        let body = if carried {
            with_model(&request.body, target.model)?
        } else {
            super::note_others(request, &mut losses);
            let texts = request.texts()?;
            Segments::from(object(|body| {
                body.string("model", target.model);
                body.string("query", &request.query);
                body.array("documents", |documents| {
                    for text in texts {
                        documents.string(text);
                    }
                });
                if let Some(top_n) = request.top_n {
                    body.plain("top_n", top_n);
                }
                if let Some(most) = &request.max_tokens_per_doc {
                    body.json("max_tokens_per_doc", most);
                }
            }))
        };
        let form = ReplyForm {
            carried,
            ..ReplyForm::default()
        };
        Ok(WireRequest::post_json(
            "/v2/rerank".to_owned(),
            body,
            losses,
            form,
        ))
    }

    fn decode_response(
        &self,
        _: &RerankRequest,
        form: &ReplyForm,
        body: Bytes,
    ) -> Result<RerankResponse, ApiError> {
        let root = reply::parse(&body)?;
        let mut response = read(&root).map_err(|error| error.bad_reply())?;
        if form.carried {
            response.raw = Some(Raw {
                body: body.clone(),
                model: None,
            });
        }
        Ok(response)
    }
}

fn read(root: &Node<'_>) -> Result<RerankResponse, ShapeError> {
    let meta = root.get("meta");
    let count = |group: &str, key: &str| meta?.get(group)?.get(key)?.u64().ok();
    let tokens = count("tokens", "input_tokens").or_else(|| count("billed_units", "input_tokens"));
    let id = root.get("id").and_then(|id| id.text().ok());
    Ok(RerankResponse {
        id: id.unwrap_or_default(),
        results: super::results(root.require("results")?, "relevance_score")?,
        usage: tokens.map(Usage::of_input),
        search_units: count("billed_units", "search_units"),
        ..RerankResponse::default()
    })
}
