//! The built site: files with their content's hash in the name, compressed when they were built.

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::tasks::unblocked;

/// What `cargo xtask build` left. A release binary has it inside, a debug one reads it from disk;
/// there may be nothing.
#[derive(RustEmbed)]
#[folder = "$DASHBOARD_SITE_DIR"]
#[allow_missing = true]
struct Files;

/// The name that script, WASM and stylesheet share; `None` where the site was not built.
pub(super) fn name() -> Option<String> {
    Files::iter().find_map(|path| {
        let name = path.strip_prefix("pkg/")?;
        let name = name.strip_suffix(".css").or(name.strip_suffix(".css.br"))?;
        (!name.contains('/')).then(|| name.to_owned())
    })
}

/// One file of the site.
pub(super) async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let get = |ending| Files::get(&format!("pkg/{path}{ending}"));
    let compressed = takes_brotli(&headers).then(|| get(".br")).flatten();
    if let Some(file) = compressed {
        return respond(&path, file.data.into(), true);
    }
    if let Some(file) = get("") {
        return respond(&path, file.data.into(), false);
    }
    let Some(packed) = get(".zst") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match unblocked(move || zstd::stream::decode_all(&*packed.data)).await {
        Ok(file) => respond(&path, file.into(), false),
        Err(error) => {
            tracing::error!(path, %error, "A file of the dashboard cannot be unpacked");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn respond(path: &str, file: Body, brotli: bool) -> Response {
    let mut response = Response::new(file);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if brotli {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            parts.next() == Some("br") && !parts.any(|part| part == "q=0")
        })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        Some("woff2") => "font/woff2",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brotli_is_sent_to_those_who_take_it() {
        for (accepted, takes) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=0.5", true),
            ("gzip, br;q=0", false),
            ("gzip", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(takes_brotli(&headers), takes, "{accepted}");
        }
        assert!(!takes_brotli(&HeaderMap::new()));
    }
}
