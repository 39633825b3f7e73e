//! Who gets in: every request to the admin listener passes here.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::problem::{problem, too_many};
use super::{AdminState, cookie, login, visitor};
use crate::access::{Operator, Verdict};

/// Checks the host, the origin and the caller, in this order. What follows finds the [`Operator`] in the request's
/// extensions, unless somebody wants something public.
pub(super) async fn guard(
    State(state): State<AdminState>,
    request: Request,
    next: Next,
) -> Response {
    let (mut head, body) = request.into_parts();
    match admitted(&state, &head).await {
        Ok(operator) => {
            if let Some(operator) = operator {
                head.extensions.insert(operator);
            }
            next.run(Request::from_parts(head, body)).await
        }
        Err(response) => response,
    }
}

/// Who it is, if it is somebody, or the answer in place of the one that was asked for.
async fn admitted(state: &AdminState, head: &Parts) -> Result<Option<Operator>, Response> {
    let headers = &head.headers;
    if !has_one_host(head) {
        // Whoever is in front may go by the other one.
        return Err(problem(
            StatusCode::BAD_REQUEST,
            "The request names more than one host.",
        ));
    }
    let host = text(headers, &header::HOST).unwrap_or_default();
    if state.loopback_only && !is_loopback(host) {
        // A page of another site whose name was pointed at this machine (DNS rebinding).
        return Err(problem(
            StatusCode::MISDIRECTED_REQUEST,
            "This listener answers to localhost and loopback addresses only.",
        ));
    }
    let path = head.uri.path();
    if path == "/login"
        && head.method == Method::GET
        && is_visit(headers)
        && let Some(login) = login::by_link(state, head).await
    {
        return Err(login);
    }
    if let Some(token) = bearer(headers) {
        // A token is no browser's doing: there is no other site that could have sent it.
        let address = visitor::address(&head.extensions);
        return match state.api.access.bearer(address, token).await {
            Verdict::Right(operator) => Ok(Some(operator)),
            Verdict::Wrong => Err(problem(
                StatusCode::UNAUTHORIZED,
                "The token is wrong, or not taken any more.",
            )),
            Verdict::TooMany { retry_after } => Err(too_many(retry_after)),
        };
    }
    if !is_safe(&head.method) && !is_same_origin(headers, host) {
        return Err(problem(
            StatusCode::FORBIDDEN,
            "The request comes from another site.",
        ));
    }
    if let Some(operator) = cookie::read(headers).and_then(|it| state.api.access.by_session(it)) {
        return Ok(Some(operator));
    }
    if is_public(path) {
        return Ok(None);
    }
    Err(if is_safe(&head.method) && wants_page(headers) {
        Redirect::to("/login").into_response()
    } else {
        problem(
            StatusCode::UNAUTHORIZED,
            "Log in, or send a token as `Authorization: Bearer TOKEN`.",
        )
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    // An operator's own token may be more than ASCII.
    let value = std::str::from_utf8(headers.get(header::AUTHORIZATION)?.as_bytes()).ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// Whether somebody opens a page, as far as the browser says: not a picture that another site shows.
fn is_visit(headers: &HeaderMap) -> bool {
    text(headers, &HeaderName::from_static("sec-fetch-dest"))
        .is_none_or(|destination| destination == "document")
}

pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    text(headers, &header::ACCEPT).is_some_and(|accept| accept.contains("text/html"))
}

/// What one needs before one is in.
pub(super) fn is_public(path: &str) -> bool {
    matches!(
        path,
        "/login" | "/logout" | "/health" | "/favicon.ico" | "/favicon.svg"
    ) || path.starts_with("/pkg/")
}

pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Browsers name the page that a request comes from; programs without pages send nothing.
fn is_same_origin(headers: &HeaderMap, host: &str) -> bool {
    if let Some(site) = text(headers, &HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    match text(headers, &header::ORIGIN) {
        None => !headers.contains_key(header::ORIGIN),
        Some(origin) => origin
            .split_once("://")
            .is_some_and(|(_, origin_host)| origin_host.eq_ignore_ascii_case(host)),
    }
}

fn has_one_host(head: &Parts) -> bool {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let host = hosts.next();
    let authority = head.uri.authority().map(|it| it.as_str().as_bytes());
    hosts.next().is_none()
        && authority.is_none_or(|it| host.is_some_and(|host| host.as_bytes() == it))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn knows_its_own_names() {
        for own in [
            "localhost",
            "LOCALHOST:8081",
            "127.0.0.1:8081",
            "127.0.0.2",
            "[::1]:8081",
            "[::1]",
        ] {
            assert!(is_loopback(own), "{own}");
        }
        for foreign in [
            "",
            "example.com",
            "localhost.example.com:8081",
            "10.0.0.1",
            "[::2]:80",
            "127.0.0.1.example.com",
        ] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }
}
