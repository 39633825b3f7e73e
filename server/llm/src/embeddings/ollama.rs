//! Ollama's `/api/embed`: <https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings>

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
pub struct OllamaEmbeddings;

impl EmbeddingsCodec for OllamaEmbeddings {
    fn encode_request(
        &self,
        request: &EmbeddingsRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        const KNOWN: &[&str] = &["truncate", "keep_alive", "options"];
        let texts = super::texts(request)?;
        let mut losses = Losses::default();
        super::note_others(request, KNOWN, &mut losses);
        if request.purpose.is_some() {
            losses.drop("input_type");
        }
        let body = object(|body| {
            body.string("model", target.model);
            body.array("input", |items| {
                for text in texts {
                    items.string(text);
                }
            });
            if let Some(dimensions) = &request.dimensions {
                body.json("dimensions", dimensions);
            }
            super::pass_on(request, KNOWN, body);
        });
        let form = ReplyForm::default();
        let body = Segments::from(body);
        Ok(WireRequest::post_json(
            "/embed".to_owned(),
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
    scan::members(&mut scanner, |key, scanner| {
        match key {
            "model" => {
                let model = scan::string(body, scanner)?;
                response.model = model.map(|(name, _)| name).unwrap_or_default();
            }
            "embeddings" => scan::items(scanner, |scanner| {
                response.vectors.push(scan::vector(body, scanner)?);
                Ok(())
            })?,
            "prompt_eval_count" => {
                let tokens = scan::count(&scan::part(body, scanner)?, &[]);
                response.usage = tokens.map(Usage::of_input);
            }
            _ => {
                scanner.skip_value()?;
            }
        }
        Ok(())
    })?;
    scanner.end()?;
    Ok(response)
}
