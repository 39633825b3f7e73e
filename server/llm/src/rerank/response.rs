//! What an upstream answered.

use serde::{Deserialize, Serialize};

use super::{RerankRequest, Shape};
use crate::carried::Consumption;
use crate::chat::Usage;
use crate::json::{Json, object};
use crate::reply::Raw;
use crate::segments::Segments;
use crate::text::Text;

/// A ranking, the most relevant first.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct RerankResponse {
    /// Empty where the upstream's protocol has none.
    pub id: Text,
    /// The upstream's name of the model; may be empty.
    pub model: Text,
    /// None, where the client reads the upstream's own bytes and the response is [`detached`](Self::detached).
    pub results: Vec<Ranked>,
    pub usage: Option<Usage>,
    /// What is charged for: a query with up to 100 documents is one.
    pub search_units: Option<u64>,
    /// In the client's shape.
    pub(super) raw: Option<Raw>,
}

/// One document's place.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Ranked {
    /// The document's number in the request.
    pub index: u64,
    /// As it was written.
    pub score: Json,
}

impl RerankResponse {
    /// What is charged for.
    pub fn consumption(&self) -> Consumption {
        Consumption {
            usage: self.usage,
            search_units: self.search_units,
            ..Consumption::default()
        }
    }

    /// The same with bytes of its own, and no more of them than the client reads.
    #[must_use]
    pub fn detached(&self) -> Self {
        let own = |text: &Text| Text::from(text.as_str());
        let ranked = |ranked: &Ranked| Ranked {
            index: ranked.index,
            score: Json::of_valid(own(ranked.score.as_text())),
        };
        Self {
            id: own(&self.id),
            model: own(&self.model),
            results: match self.raw {
                Some(_) => Vec::new(),
                None => self.results.iter().map(ranked).collect(),
            },
            raw: self.raw.as_ref().map(Raw::detached),
            ..*self
        }
    }

    /// How long the client's body is, about, in bytes.
    pub fn written_len(&self) -> usize {
        let raw = self.raw.as_ref().map_or(0, |raw| raw.body.len());
        raw + 64 * self.results.len()
    }

    /// The client's body, with the client's name of the model. Version 1 is written so that Cohere's clients and Jina's
    /// both find what they look for.
    pub fn encode(&self, request: &RerankRequest) -> Segments {
        let model = request.model.as_deref().unwrap_or(&self.model);
        if let Some(raw) = &self.raw {
            return raw.named(model);
        }
        let body = object(|body| {
            if !self.id.is_empty() {
                body.string("id", &self.id);
            }
            if request.shape == Shape::V1 {
                body.string("object", "list");
                body.string("model", model);
            }
            body.array("results", |results| {
                for ranked in &self.results {
                    results.object(|result| {
                        result.plain("index", ranked.index);
                        result.json("relevance_score", &ranked.score);
                        if let Some(document) = document(request, ranked) {
                            result.member("document").json(&document);
                        }
                    });
                }
            });
            let tokens = self.usage.map(|usage| usage.input_tokens);
            if let Some(tokens) = tokens.filter(|_| request.shape == Shape::V1) {
                body.object("usage", |usage| {
                    usage.plain("prompt_tokens", tokens);
                    usage.plain("total_tokens", tokens);
                });
            }
            body.object("meta", |meta| {
                let version = match request.shape {
                    Shape::V1 => "1",
                    Shape::V2 => "2",
                };
                meta.object("api_version", |api| api.string("version", version));
                if let Some(units) = self.search_units {
                    meta.object("billed_units", |billed| billed.plain("search_units", units));
                }
                if let Some(tokens) = tokens {
                    meta.object("tokens", |counts| counts.plain("input_tokens", tokens));
                }
            });
        });
        Segments::from(body)
    }
}

/// The document of a result, where the client wants it: always an object. The gateway has it at hand, whatever the
/// upstream repeats.
fn document(request: &RerankRequest, ranked: &Ranked) -> Option<Json> {
    if request.shape == Shape::V2 || request.return_documents != Some(true) {
        return None;
    }
    let own = request.documents.get(usize::try_from(ranked.index).ok()?)?;
    Some(match &own.text {
        Some(text) if own.json.as_str().starts_with('"') => {
            let wrapped = object(|document| document.string("text", text));
            Json::of_valid(Text::from_utf8(wrapped).ok()?)
        }
        _ => own.json.clone(),
    })
}
