//! Coming and going: the token for a session cookie, as Jupyter does it.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::AdminState;
use super::guard::wants_page;
use super::guesses::Verdict;
use super::problem::{problem, too_many};
use super::session::Sessions;

#[derive(Deserialize, JsonSchema)]
pub(super) struct Login {
    /// The admin token.
    token: Option<String>,
}

/// `POST /login`: the form.
pub(super) async fn submit(
    State(state): State<AdminState>,
    client: Extensions,
    headers: HeaderMap,
    form: Result<Form<Login>, FormRejection>,
) -> Response {
    match form {
        Ok(Form(login)) => {
            let token = login.token.unwrap_or_default();
            enter(&state, &client, &headers, &token).await
        }
        Err(rejection) => problem(rejection.status(), &rejection.body_text()),
    }
}

/// `GET /login?token=…`: the printed link. `None` where there is no token in it.
pub(super) async fn by_link(state: &AdminState, head: &Parts) -> Option<Response> {
    let Query(login) = Query::<Login>::try_from_uri(&head.uri).ok()?;
    let token = login.token?;
    Some(enter(state, &head.extensions, &head.headers, &token).await)
}

/// `POST /logout`.
pub(super) async fn logout(State(state): State<AdminState>, headers: HeaderMap) -> Response {
    state.logouts.revoke(&headers).await;
    with_cookie(Redirect::to("/login"), &Sessions::forget(&headers))
}

async fn enter(
    state: &AdminState,
    client: &Extensions,
    headers: &HeaderMap,
    token: &str,
) -> Response {
    match state.guesses.judge(client, token.trim()).await {
        Verdict::Right => {
            let session = state.logouts.sessions.issue(headers);
            with_cookie(Redirect::to("/"), &session)
        }
        Verdict::Wrong => Redirect::to("/login?error=token").into_response(),
        Verdict::TooMany { .. } if wants_page(headers) => {
            Redirect::to("/login?error=rate_limited").into_response()
        }
        Verdict::TooMany { retry_after } => too_many(retry_after),
    }
}

fn with_cookie(redirect: Redirect, cookie: &str) -> Response {
    let mut response = redirect.into_response();
    let cookie = HeaderValue::from_str(cookie).expect("a session is made of ASCII characters");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
