//! OpenAI's shape, which most providers speak: <https://platform.openai.com/docs/api-reference/embeddings>

use bytes::Bytes;

use super::{EmbeddingsCodec, EmbeddingsRequest, EmbeddingsResponse, scan};
use crate::carried::{Paths, with_model};
use crate::chat::{Losses, Usage};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::ApiError;
use crate::json::{JsonError, Scanner};
use crate::reply::{self, Raw};

/// The codec.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiEmbeddings {
    pub paths: Paths,
}

impl OpenAiEmbeddings {
    /// Where most providers have it: `/embeddings`.
    pub const PLAIN: Self = Self {
        paths: Paths::Plain,
    };
}

impl EmbeddingsCodec for OpenAiEmbeddings {
    fn encode_request(
        &self,
        request: &EmbeddingsRequest,
        target: &Target<'_>,
    ) -> Result<WireRequest, ApiError> {
        let form = ReplyForm {
            carried: true,
            ..ReplyForm::default()
        };
        let path = self.paths.path("/embeddings", target);
        super::only_text(request)?;
        let mut losses = Losses::default();
        if request.contents.is_some() {
            super::note_others(request, &[], &mut losses);
            if request.purpose.is_some() {
                losses.drop("taskType");
            }
        }
        let body = with_model(&request.body, target.model)?;
        Ok(WireRequest::post_json(path, body, losses, form))
    }

    fn decode_response(
        &self,
        request: &EmbeddingsRequest,
        _: &ReplyForm,
        body: Bytes,
    ) -> Result<EmbeddingsResponse, ApiError> {
        let mut response = read(&body).map_err(|error| reply::not_as_expected(&body, &error))?;
        // Some upstreams do not know base64, and some SDKs nothing else once they asked for it.
        let as_asked = |vector: &super::Vector| vector.encoding() == request.encoding;
        if !response.vectors.iter().all(as_asked) {
            response.raw = None;
        }
        response.checked(request, &body)
    }
}

fn read(body: &Bytes) -> Result<EmbeddingsResponse, JsonError> {
    let mut response = EmbeddingsResponse::default();
    let mut model = None;
    let mut in_order = true;
    let mut vectors = Vec::new();
    let mut scanner = Scanner::from_utf8(body)?;
    scan::members(&mut scanner, |key, scanner| match key {
        "data" => scan::items(scanner, |scanner| {
            let place = vectors.len() as u64;
            let (mut index, mut vector) = (place, None);
            scan::members(scanner, |key, scanner| {
                match key {
                    "embedding" => vector = Some(scan::vector(body, scanner)?),
                    "index" => {
                        let span = scanner.skip_value()?;
                        index = scanner.text()[span].parse().unwrap_or(place);
                    }
                    _ => {
                        scanner.skip_value()?;
                    }
                }
                Ok(())
            })?;
            in_order &= index == place;
            vectors.extend(vector.map(|vector| (index, vector)));
            Ok(())
        }),
        "model" => {
            model = scan::string(body, scanner)?;
            Ok(())
        }
        "usage" => {
            let usage = scan::part(body, scanner)?;
            let tokens = scan::count(&usage, &["prompt_tokens"])
                .or_else(|| scan::count(&usage, &["total_tokens"]));
            response.usage = tokens.map(Usage::of_input);
            Ok(())
        }
        _ => scanner.skip_value().map(drop),
    })?;
    scanner.end()?;
    if !in_order {
        vectors.sort_by_key(|(index, _)| *index);
    }
    response.vectors = vectors.into_iter().map(|(_, vector)| vector).collect();
    let (name, span) = model.unzip();
    response.model = name.unwrap_or_default();
    response.raw = Some(Raw {
        body: body.clone(),
        model: span,
    });
    Ok(response)
}
