//! Forms of the pages: what was sent is done, and then comes another page, or the same one with what is wrong.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Form, FromRequest, Request};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::post;
use dashboard::edits::{Answer, act};
use dashboard::forms::Outcome;
use dashboard::pages::FORM_PATHS;
use leptos::config::LeptosOptions;
use leptos::prelude::{IntoView, provide_context};
use leptos_axum::render_app_async_with_context;
use shared::AdminError;
use shared::policies::PolicyApi;

use crate::access::Operator;

/// A system prompt can be long, a list of phrases longer; in bytes.
const LARGEST: usize = 4 << 20;

/// `POST` for each page with forms. The pages are rendered as they are for `GET`.
pub(super) fn routes<V>(
    policies: Arc<dyn PolicyApi>,
    context: &(impl Fn() + Clone + Send + Sync + 'static),
    document: &(impl Fn() -> V + Clone + Send + Sync + 'static),
) -> Router<LeptosOptions>
where
    V: IntoView + 'static,
{
    let mut router = Router::new();
    for path in FORM_PATHS {
        let (policies, context, document) = (policies.clone(), context.clone(), document.clone());
        let answer = move |request: Request| {
            let (policies, context, document) =
                (policies.clone(), context.clone(), document.clone());
            async move {
                let Some(operator) = request.extensions().get::<Operator>().cloned() else {
                    return StatusCode::UNAUTHORIZED.into_response();
                };
                let mut head = request.headers().clone();
                head.remove("content-length");
                head.remove("content-type");
                let mut page = Request::new(Body::empty());
                *page.method_mut() = Method::GET;
                *page.uri_mut() = request.uri().clone();
                *page.headers_mut() = head;
                page.extensions_mut().insert(operator.clone());
                let values = match Form::<Vec<(String, String)>>::from_request(request, &()).await {
                    Ok(Form(values)) => values,
                    Err(rejection) => return rejection.into_response(),
                };
                match act(&*policies, operator.as_str(), values.into()).await {
                    Answer::Go(href) => Redirect::to(&href).into_response(),
                    Answer::Show(submitted) => {
                        let status = status(&submitted.outcome);
                        let context = move || {
                            context();
                            provide_context((*submitted).clone());
                        };
                        let mut response =
                            render_app_async_with_context(context, document)(page).await;
                        *response.status_mut() = status;
                        response.into_response()
                    }
                }
            }
        };
        router = router.route(path, post(answer));
    }
    router.layer(DefaultBodyLimit::max(LARGEST))
}

fn status(outcome: &Outcome) -> StatusCode {
    match outcome {
        Outcome::Secret { .. } | Outcome::Tested(_) => StatusCode::OK,
        Outcome::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Outcome::Conflict(_) => StatusCode::CONFLICT,
        Outcome::Failed(AdminError::Unavailable { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        Outcome::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
