//! Who asks, and their own password.

use axum::extract::State;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::{Extension, Json};
use shared::access::{AccessApi, Me, PasswordChange};

use super::precondition::Conditional;
use super::users::told;
use crate::access::{Operator, Verdict, Via};
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;
use crate::admin::{AdminState, cookie, visitor};

/// `GET /api/v1/me`
pub(in crate::admin) async fn me(Extension(operator): Extension<Operator>) -> Json<Me> {
    Json(operator.me())
}

/// `PUT /api/v1/me/password` with `{"current": "…", "new": "…"}`: all sessions end, and the one that asked has another
/// one in its place.
pub(in crate::admin) async fn change_password(
    State(state): State<AdminState>,
    Extension(operator): Extension<Operator>,
    client: Extensions,
    headers: HeaderMap,
    condition: Conditional,
    body: JsonBody,
) -> Result<Response, Problem> {
    let Some(name) = operator.user() else {
        let detail = "Whoever has the admin token has no password: the token is in the configuration, or in its file.";
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    };
    let change: PasswordChange = body.parse()?;
    let new = change.new.clone();
    let edit = condition.unconditional();
    let mut response = told(&state.api.change_password(name, change, edit).await?);
    if operator.via == Via::Session {
        let visitor = visitor::of(&client, &headers);
        if let Verdict::Right(entered) = state.api.access.log_in(&visitor, name, &new).await {
            let cookie = cookie::set(&headers, &entered.secret, entered.lasts);
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    Ok(response)
}
