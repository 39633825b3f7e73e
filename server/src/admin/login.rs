//! Coming and going: a name and a password, or the token, for a session's cookie.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::guard::wants_page;
use super::problem::{problem, too_many};
use super::{AdminState, cookie, visitor};
use crate::access::{Entered, Verdict};

/// One of both ways.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Login {
    /// A user's name, with `password`.
    username: Option<String>,
    password: Option<String>,
    /// The admin token, in place of both.
    token: Option<String>,
}

/// `POST /login`: the form.
pub(super) async fn submit(
    State(state): State<AdminState>,
    client: Extensions,
    headers: HeaderMap,
    form: Result<Form<Login>, FormRejection>,
) -> Response {
    let login = match form {
        Ok(Form(login)) => login,
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    let visitor = visitor::of(&client, &headers);
    let access = &state.api.access;
    match login.token.filter(|token| !token.trim().is_empty()) {
        Some(token) => {
            let verdict = access.log_in_with_token(&visitor, token.trim()).await;
            answer(verdict, &headers, "token")
        }
        None => {
            let name = login.username.unwrap_or_default();
            let password = login.password.unwrap_or_default();
            let verdict = access.log_in(&visitor, &name, &password).await;
            answer(verdict, &headers, "password")
        }
    }
}

/// `GET /login?token=…`: the printed link. `None` where there is no token in it.
pub(super) async fn by_link(state: &AdminState, head: &Parts) -> Option<Response> {
    let Query(login) = Query::<Login>::try_from_uri(&head.uri).ok()?;
    let token = login.token?;
    let visitor = visitor::of(&head.extensions, &head.headers);
    let access = &state.api.access;
    let verdict = access.log_in_with_token(&visitor, token.trim()).await;
    Some(answer(verdict, &head.headers, "token"))
}

/// `POST /logout`.
pub(super) async fn logout(State(state): State<AdminState>, headers: HeaderMap) -> Response {
    if let Some(secret) = cookie::read(&headers) {
        state.api.access.log_out(secret).await;
    }
    with_cookie(Redirect::to("/login"), cookie::forget(&headers))
}

/// `what` was wrong, if something was.
fn answer(verdict: Verdict<Entered>, headers: &HeaderMap, what: &str) -> Response {
    match verdict {
        Verdict::Right(entered) => {
            let cookie = cookie::set(headers, &entered.secret, entered.lasts);
            with_cookie(Redirect::to("/"), cookie)
        }
        Verdict::Wrong => Redirect::to(&format!("/login?error={what}")).into_response(),
        Verdict::TooMany { .. } if wants_page(headers) => {
            Redirect::to("/login?error=rate_limited").into_response()
        }
        Verdict::TooMany { retry_after } => too_many(retry_after),
    }
}

fn with_cookie(redirect: Redirect, cookie: HeaderValue) -> Response {
    let mut response = redirect.into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
