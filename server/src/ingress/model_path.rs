//! Requests whose path names the model: `POST /v1/models/{model}/chat/completions`, and Gemini's
//! `POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent`, `:countTokens`, `:embedContent` and
//! `:batchEmbedContents`.
//!
//! A model's name may hold slashes and colons, so what is asked of it is looked for at the path's end.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Uri;
use llm::carried::Operation;
use llm::chat::Variant;
use llm::dialects::gemini::Gemini;
use llm::dialects::openai_chat::OpenAiChat;
use llm::error::ApiError;
use llm::rerank::Shape;

use super::carried::carry;
use super::count_tokens::{count_contents, count_messages};
use super::embeddings::{embed, embed_contents};
use super::endpoint::{ChatEndpoint, Mounted, SaidByPath};
use super::rerank::rank;
use super::spoken::GEMINI_METHODS;
use super::{Route, body, query, refusal, spoken};
use crate::gateway::Gateway;

/// What can be asked of a model by its path.
#[derive(Clone, Debug)]
pub struct ModelEndpoints(Arc<[ModelEndpoint]>);

#[derive(Debug)]
struct ModelEndpoint {
    /// What stands behind the model's name.
    ending: &'static str,
    asked: AskedOfModel,
}

/// An endpoint that is asked of the model that a path names.
#[derive(Debug)]
pub(super) enum AskedOfModel {
    Chat(ChatEndpoint, fn(&Uri) -> SaidByPath),
    CountMessages(Route),
    CountContents(Route),
    Embeddings(Route),
    EmbedContents { route: Route, batch: bool },
    Rerank(Route, Shape),
    Carried(Route, &'static Operation),
}

impl AskedOfModel {
    /// Whatever the body says, the model is this one.
    pub async fn answer(
        &self,
        gateway: &Gateway,
        model: &str,
        request: http::Request<Body>,
    ) -> Response {
        match self {
            Self::Chat(endpoint, said) => {
                let said = SaidByPath {
                    model: Some(model.to_owned()),
                    ..said(request.uri())
                };
                endpoint.respond(gateway, said, request).await
            }
            Self::CountMessages(route) => count_messages(route, gateway, model, request).await,
            Self::CountContents(route) => count_contents(route, gateway, model, request).await,
            Self::Embeddings(route) => embed(route, gateway, Some(model), request).await,
            Self::EmbedContents { route, batch } => {
                embed_contents(route, gateway, model, *batch, request).await
            }
            Self::Rerank(route, shape) => rank(route, *shape, gateway, Some(model), request).await,
            Self::Carried(route, operation) => {
                carry(route, operation, gateway, Some(model), request).await
            }
        }
    }

    /// What Gemini's clients ask, by what stands behind the model's name; `prefix` is what stands before it.
    pub fn of_gemini(prefix: &str) -> [(&'static str, Self); 5] {
        let chat = |ending, said: fn(&Uri) -> SaidByPath| {
            let route = format!("{prefix}{ending}");
            Self::Chat(ChatEndpoint::new(&Gemini, &route), said)
        };
        let route = |ending| Route::new("gemini", &format!("{prefix}{ending}"));
        let embed = |ending, batch| Self::EmbedContents {
            route: route(ending),
            batch,
        };
        let [whole_answer, stream, count, one, many] = GEMINI_METHODS;
        [
            (whole_answer, chat(whole_answer, |_| whole())),
            (stream, chat(stream, streamed)),
            (count, Self::CountContents(route(count))),
            (one, embed(one, false)),
            (many, embed(many, true)),
        ]
    }
}

impl ModelEndpoints {
    /// Those under `prefix`: `/v1/models`.
    pub fn under(prefix: &str) -> Self {
        let prefix = format!("{prefix}/{{model}}");
        let ending = "/chat/completions";
        let endpoint = ChatEndpoint::new(&OpenAiChat, &format!("{prefix}{ending}"));
        let chat = AskedOfModel::Chat(endpoint, |_| SaidByPath::default());
        let all = AskedOfModel::of_gemini(&prefix)
            .into_iter()
            .chain([(ending, chat)]);
        Self(
            all.map(|(ending, asked)| ModelEndpoint { ending, asked })
                .collect(),
        )
    }
}

impl ModelEndpoints {
    /// Where chat is asked of the model that this tail names.
    pub(super) fn chat(&self, tail: &str, uri: &Uri) -> Option<(Arc<Mounted>, SaidByPath)> {
        self.0.iter().find_map(|known| {
            let model = tail.strip_suffix(known.ending);
            let model = model.filter(|model| !model.is_empty())?;
            let AskedOfModel::Chat(endpoint, said) = &known.asked else {
                return None;
            };
            let said = SaidByPath {
                model: Some(model.to_owned()),
                ..said(uri)
            };
            Some((endpoint.mounted(), said))
        })
    }
}

fn whole() -> SaidByPath {
    SaidByPath {
        stream: Some(false),
        ..SaidByPath::default()
    }
}

/// Without `alt=sse` a stream is one JSON array.
fn streamed(uri: &Uri) -> SaidByPath {
    let alt = uri.query().and_then(|all| query::value(all, "alt"));
    SaidByPath {
        model: None,
        stream: Some(true),
        variant: match alt.as_deref() {
            Some("sse") => Variant::Usual,
            _ => Variant::JsonArray,
        },
    }
}

/// Answers what is posted to a model.
pub async fn posted_to_model(
    endpoints: ModelEndpoints,
    State(gateway): super::Gateway,
    tail: Result<Path<String>, PathRejection>,
    request: http::Request<Body>,
) -> Response {
    let Ok(Path(tail)) = tail else {
        let dialect = spoken::at(request.uri().path());
        body::discard(request.into_body());
        let error = ApiError::invalid("The model's name in the URL is not UTF-8.");
        return refusal::unrecorded(dialect, &error.with_param("model"));
    };
    for known in endpoints.0.iter() {
        let model = tail.strip_suffix(known.ending);
        if let Some(model) = model.filter(|model| !model.is_empty()) {
            return known.asked.answer(&gateway, model, request).await;
        }
    }
    let (head, body) = request.into_parts();
    refusal::unknown_url(head.method, head.uri, body).await
}
