//! Names with slashes in paths. `/api/v1/models/org/model` is the model `org/model`: the same as `org%2Fmodel`.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Whose names may have some.
const LISTS: [&str; 2] = ["/api/v1/models/", "/api/v1/price-overrides/"];

/// The request with the slashes of a name encoded, so that routes find it.
pub(super) fn encoded(mut request: Request) -> Request {
    if let Some(path) = rewritten(request.uri().path()) {
        let path_and_query = match request.uri().query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let mut parts = request.uri().clone().into_parts();
        if let Ok(path_and_query) = PathAndQuery::try_from(path_and_query) {
            parts.path_and_query = Some(path_and_query);
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
    }
    request
}

fn rewritten(path: &str) -> Option<String> {
    let lists = LISTS.iter();
    let (list, rest) = lists
        .filter_map(|list| Some((list, path.strip_prefix(list)?)))
        .next()?;
    let parts: Vec<&str> = rest.split('/').collect();
    let after_name = match parts.as_slice() {
        [.., "versions", _, "restore"] => 3,
        [.., "versions" | "reset"] => 1,
        _ => 0,
    };
    let (name, after) = parts.split_at(parts.len() - after_name);
    if name.len() < 2 {
        return None;
    }
    let mut path = format!("{list}{}", name.join("%2F"));
    for part in after {
        path.push('/');
        path.push_str(part);
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::rewritten;

    #[test]
    fn names_have_slashes_and_routes_have_theirs() {
        for (path, expected) in [
            ("/api/v1/models/m", None),
            ("/api/v1/models/m/versions", None),
            ("/api/v1/models/m/versions/1/restore", None),
            ("/api/v1/models/org/m", Some("/api/v1/models/org%2Fm")),
            ("/api/v1/models/a/b/c", Some("/api/v1/models/a%2Fb%2Fc")),
            (
                "/api/v1/models/org/m/reset",
                Some("/api/v1/models/org%2Fm/reset"),
            ),
            (
                "/api/v1/models/org/m/versions/1/restore",
                Some("/api/v1/models/org%2Fm/versions/1/restore"),
            ),
            ("/api/v1/models", None),
            ("/api/v1/keys/a/b", None),
        ] {
            assert_eq!(rewritten(path).as_deref(), expected, "{path}");
        }
    }
}
