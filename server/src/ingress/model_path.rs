//! Requests whose path names the model: `POST /v1/models/{model}/chat/completions`.
//!
//! A model's name may hold slashes, so what comes after it is looked for at the path's end.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use llm::dialects::openai_chat::OpenAiChat;
use llm::error::ApiError;

use super::endpoint::{ChatEndpoint, SaidByPath};
use super::{body, refusal, spoken};

/// What can be asked of a model by its path.
#[derive(Clone, Debug)]
pub struct ModelEndpoints(Arc<Endpoints>);

#[derive(Debug)]
struct Endpoints {
    chat: ChatEndpoint,
}

impl ModelEndpoints {
    /// Those under `/v1/models`.
    pub fn v1() -> Self {
        Self(Arc::new(Endpoints {
            chat: ChatEndpoint::new(&OpenAiChat, "/v1/models/{model}/chat/completions"),
        }))
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
    if let Some(model) = named(&tail, "/chat/completions") {
        let said = SaidByPath {
            model: Some(model.to_owned()),
            ..SaidByPath::default()
        };
        return endpoints.0.chat.respond(&gateway, said, request).await;
    }
    let (head, body) = request.into_parts();
    refusal::unknown_url(head.method, head.uri, body).await
}

/// The name before `ending`, if there is one.
fn named<'a>(tail: &'a str, ending: &str) -> Option<&'a str> {
    tail.strip_suffix(ending).filter(|name| !name.is_empty())
}
