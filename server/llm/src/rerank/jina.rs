//! Jina's shape, which vLLM, llama.cpp, Together and others speak too: <https://jina.ai/reranker>

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
pub struct JinaRerank;

impl RerankCodec for JinaRerank {
    fn encode_request(
        &self,
        request: &RerankRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        let mut losses = Losses::default();
        let carried = request.shape == Shape::V1;
        let body = if carried {
            with_model(&request.body, target.model)?
        } else {
            super::note_others(request, &mut losses);
            if request.max_tokens_per_doc.is_some() {
                losses.drop("max_tokens_per_doc");
            }
            Segments::from(object(|body| {
                body.string("model", target.model);
                body.string("query", &request.query);
                body.array("documents", |documents| {
                    for document in &request.documents {
                        documents.json(&document.json);
                    }
                });
                if let Some(top_n) = request.top_n {
                    body.plain("top_n", top_n);
                }
                body.plain("return_documents", false);
            }))
        };
        let form = ReplyForm {
            carried,
            ..ReplyForm::default()
        };
        Ok(WireRequest::post_json(
            "/rerank".to_owned(),
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
                model: root.get("model").map(Node::span),
                body: body.clone(),
            });
        }
        Ok(response)
    }
}

fn read(root: &Node<'_>) -> Result<RerankResponse, ShapeError> {
    let text = |key| {
        root.get(key)
            .and_then(|id| id.text().ok())
            .unwrap_or_default()
    };
    let count = |node: &Node<'_>, key: &str| node.get(key).and_then(|count| count.u64().ok());
    let tokens = root.get("usage").and_then(|usage| {
        count(usage, "prompt_tokens")
            .filter(|tokens| *tokens > 0)
            .or_else(|| count(usage, "total_tokens"))
    });
    let units = root
        .get("meta")
        .and_then(|meta| meta.get("billed_units"))
        .and_then(|units| count(units, "search_units"));
    Ok(RerankResponse {
        id: text("id"),
        model: text("model"),
        results: super::results(root.require("results")?, "relevance_score")?,
        usage: tokens.map(Usage::of_input),
        search_units: units,
        raw: None,
    })
}
