//! The audit log, and whether it is whole.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use shared::audit::{AuditApi, AuditQuery, ChainReport};

use super::Answer;
use super::page::encoded;
use crate::admin::AdminState;
use crate::admin::problem::Problem;

/// A hash in hex.
const HASH: usize = 64;

/// `GET /api/v1/audit?kind=…&name=…&by=…&from=…&to=…&after=SEQ&limit=N`
pub(in crate::admin) async fn list(
    State(state): State<AdminState>,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query?;
    let page = state.api.audit(query.clone()).await?;
    let next = page.next.map(|after| link(&query, after));
    let mut response = Json(page.entries).into_response();
    if let Some(next) = next {
        let value = HeaderValue::from_str(&next).expect("it is percent-encoded");
        response.headers_mut().insert(header::LINK, value);
    }
    Ok(response)
}

/// Where the list goes on.
fn link(query: &AuditQuery, after: u64) -> String {
    let mut link = format!("</api/v1/audit?after={after}");
    let texts = [
        ("kind", query.kind.clone()),
        ("name", query.name.clone()),
        ("by", query.by.clone()),
        ("from", query.from.map(|time| time.to_rfc3339())),
        ("to", query.to.map(|time| time.to_rfc3339())),
        ("limit", query.limit.map(|limit| limit.to_string())),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            link.push_str(&format!("&{name}={}", encoded(&value)));
        }
    }
    link + ">; rel=\"next\""
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::admin) struct Includes {
    /// A hash that was noted earlier, which the log must have.
    includes: Option<String>,
}

/// `GET /api/v1/audit/verify?includes=HASH`
pub(in crate::admin) async fn verify(
    State(state): State<AdminState>,
    query: Result<Query<Includes>, QueryRejection>,
) -> Answer<ChainReport> {
    let Query(Includes { includes }) = query?;
    if let Some(hash) = &includes
        && (hash.len() != HASH || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        return Err(Problem::bad_request(
            "`includes` is a hash: 64 hexadecimal digits.",
        ));
    }
    Ok(Json(state.api.verify_audit(includes).await?))
}
