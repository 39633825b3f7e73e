//! Cohere's Embed, version 2: <https://docs.cohere.com/reference/embed>

use bytes::Bytes;

use super::{EmbeddingsCodec, EmbeddingsRequest, EmbeddingsResponse, scan};
use crate::chat::{Losses, Usage};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::ApiError;
use crate::json::{JsonError, Scanner, object};
use crate::reply;
use crate::segments::Segments;

/// The codec.
#[derive(Clone, Copy, Debug)]
pub struct CohereEmbeddings;

impl EmbeddingsCodec for CohereEmbeddings {
    fn encode_request(
        &self,
        request: &EmbeddingsRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        const KNOWN: &[&str] = &["truncate", "max_tokens", "priority"];
        let texts = super::texts(request)?;
        let mut losses = Losses::default();
        super::note_others(request, KNOWN, &mut losses);
        let body = object(|body| {
            body.string("model", target.model);
            // It has to be said. Most vectors are of what will be searched.
            let purpose = request.purpose.as_deref().unwrap_or("search_document");
            body.string("input_type", purpose);
            body.array("texts", |items| {
                for text in texts {
                    items.string(text);
                }
            });
            body.array("embedding_types", |types| types.string("float"));
            if let Some(dimensions) = &request.dimensions {
                body.json("output_dimension", dimensions);
            }
            super::pass_on(request, KNOWN, body);
        });
        let form = ReplyForm::default();
        let body = Segments::from(body);
        Ok(WireRequest::post_json(
            "/v2/embed".to_owned(),
            body,
            losses,
            form,
        ))
    }

    fn decode_response(
        &self,
        request: &EmbeddingsRequest,
        _: &ReplyForm,
        body: Bytes,
    ) -> Result<EmbeddingsResponse, ApiError> {
        let response = read(&body).map_err(|error| reply::not_as_expected(&body, &error))?;
        response.checked(request, &body)
    }
}

fn read(body: &Bytes) -> Result<EmbeddingsResponse, JsonError> {
    let mut response = EmbeddingsResponse::default();
    let mut scanner = Scanner::from_utf8(body)?;
    scan::members(&mut scanner, |key, scanner| match key {
        "embeddings" => scan::members(scanner, |key, scanner| match key {
            "float" => scan::items(scanner, |scanner| {
                response.vectors.push(scan::vector(body, scanner)?);
                Ok(())
            }),
            _ => scanner.skip_value().map(drop),
        }),
        "meta" => {
            let meta = scan::part(body, scanner)?;
            let tokens = scan::count(&meta, &["tokens", "input_tokens"])
                .or_else(|| scan::count(&meta, &["billed_units", "input_tokens"]));
            response.usage = tokens.map(Usage::of_input);
            Ok(())
        }
        _ => scanner.skip_value().map(drop),
    })?;
    scanner.end()?;
    Ok(response)
}
