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
use llm::chat::Variant;
use llm::dialects::gemini::Gemini;
use llm::dialects::openai_chat::OpenAiChat;
use llm::error::ApiError;

use super::count_tokens::count_contents;
use super::embeddings::embed_contents;
use super::endpoint::{ChatEndpoint, Mounted, SaidByPath};
use super::{Route, body, query, refusal, spoken};

/// What can be asked of a model by its path.
#[derive(Clone, Debug)]
pub struct ModelEndpoints(Arc<[ModelEndpoint]>);

#[derive(Debug)]
struct ModelEndpoint {
    /// What stands behind the model's name.
    ending: &'static str,
    asked: AskedOfModel,
}

#[derive(Debug)]
enum AskedOfModel {
    Chat(ChatEndpoint, fn(&Uri) -> SaidByPath),
    CountTokens(Route),
    Embed { route: Route, batch: bool },
}

impl ModelEndpoints {
    /// Those under `prefix`: `/v1/models`.
    pub fn under(prefix: &str) -> Self {
        let route = |ending: &str| format!("{prefix}/{{model}}{ending}");
        let generate = [
            (":generateContent", (|_| whole()) as fn(&Uri) -> SaidByPath),
            (":streamGenerateContent", streamed),
        ];
        let generate = generate.map(|(ending, said)| ModelEndpoint {
            ending,
            asked: AskedOfModel::Chat(ChatEndpoint::new(&Gemini, &route(ending)), said),
        });
        let ending = "/chat/completions";
        let endpoint = ChatEndpoint::new(&OpenAiChat, &route(ending));
        let chat = ModelEndpoint {
            ending,
            asked: AskedOfModel::Chat(endpoint, |_| SaidByPath::default()),
        };
        let named = |ending: &str| Route::new("gemini", &route(ending));
        let embed = [(":embedContent", false), (":batchEmbedContents", true)];
        let embed = embed.map(|(ending, batch)| ModelEndpoint {
            ending,
            asked: AskedOfModel::Embed {
                route: named(ending),
                batch,
            },
        });
        let ending = ":countTokens";
        let count = ModelEndpoint {
            ending,
            asked: AskedOfModel::CountTokens(named(ending)),
        };
        let all = [chat, count].into_iter().chain(generate).chain(embed);
        Self(all.collect())
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
            return match &known.asked {
                AskedOfModel::Chat(endpoint, said) => {
                    let said = SaidByPath {
                        model: Some(model.to_owned()),
                        ..said(request.uri())
                    };
                    endpoint.respond(&gateway, said, request).await
                }
                AskedOfModel::CountTokens(route) => {
                    count_contents(route, &gateway, model, request).await
                }
                AskedOfModel::Embed { route, batch } => {
                    embed_contents(route, &gateway, model, *batch, request).await
                }
            };
        }
    }
    let (head, body) = request.into_parts();
    refusal::unknown_url(head.method, head.uri, body).await
}
