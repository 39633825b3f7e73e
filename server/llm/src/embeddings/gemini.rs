//! Gemini's `batchEmbedContents`: <https://ai.google.dev/api/embeddings>

use bytes::Bytes;

use super::{EmbeddingsCodec, EmbeddingsRequest, EmbeddingsResponse, scan};
use crate::carried::Escaped;
use crate::chat::{Losses, Usage};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::ApiError;
use crate::json::{JsonError, Scanner, object};
use crate::reply;
use crate::segments::Segments;

/// The codec.
#[derive(Clone, Copy, Debug)]
pub struct GeminiEmbeddings;

impl EmbeddingsCodec for GeminiEmbeddings {
    fn encode_request(
        &self,
        request: &EmbeddingsRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        let name = target.model.strip_prefix("models/").unwrap_or(target.model);
        let model = format!("models/{name}");
        if let Some(contents) = &request.contents {
            let method = if contents.batch {
                "batchEmbedContents"
            } else {
                "embedContent"
            };
            let form = ReplyForm {
                carried: true,
                ..ReplyForm::default()
            };
            return Ok(WireRequest::post_json(
                format!("/models/{}:{method}", Escaped(name)),
                contents.carried(&model)?,
                Losses::default(),
                form,
            ));
        }
        let texts = super::texts(request)?;
        let mut losses = Losses::default();
        super::note_others(request, &[], &mut losses);
        let task = request.purpose.as_deref().and_then(task_type);
        if request.purpose.is_some() && task.is_none() {
            losses.drop("input_type");
        }
        let body = object(|body| {
            body.array("requests", |requests| {
                for text in texts {
                    requests.object(|one| {
                        one.string("model", &model);
                        one.object("content", |content| {
                            content.array("parts", |parts| {
                                parts.object(|part| part.string("text", text));
                            });
                        });
                        if let Some(task) = task {
                            one.string("taskType", task);
                        }
                        if let Some(dimensions) = &request.dimensions {
                            one.json("outputDimensionality", dimensions);
                        }
                    });
                }
            });
        });
        let path = format!("/models/{}:batchEmbedContents", Escaped(name));
        let form = ReplyForm::default();
        Ok(WireRequest::post_json(
            path,
            Segments::from(body),
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

/// What the vectors are for, in Gemini's words: <https://ai.google.dev/gemini-api/docs/embeddings#supported-task-types>
fn task_type(purpose: &str) -> Option<&'static str> {
    Some(match purpose {
        "search_document" => "RETRIEVAL_DOCUMENT",
        "search_query" => "RETRIEVAL_QUERY",
        "classification" => "CLASSIFICATION",
        "clustering" => "CLUSTERING",
        _ => return None,
    })
}

fn read(body: &Bytes) -> Result<EmbeddingsResponse, JsonError> {
    let mut response = EmbeddingsResponse::default();
    let mut scanner = Scanner::from_utf8(body)?;
    scan::members(&mut scanner, |key, scanner| match key {
        "embeddings" => scan::items(scanner, |scanner| {
            scan::members(scanner, |key, scanner| match key {
                "values" => {
                    response.vectors.push(scan::vector(body, scanner)?);
                    Ok(())
                }
                _ => scanner.skip_value().map(drop),
            })
        }),
        // One alone.
        "embedding" => scan::members(scanner, |key, scanner| match key {
            "values" => {
                response.vectors.push(scan::vector(body, scanner)?);
                Ok(())
            }
            _ => scanner.skip_value().map(drop),
        }),
        "usageMetadata" => {
            let usage = scan::part(body, scanner)?;
            response.usage = scan::count(&usage, &["promptTokenCount"]).map(Usage::of_input);
            Ok(())
        }
        _ => scanner.skip_value().map(drop),
    })?;
    scanner.end()?;
    Ok(response)
}
