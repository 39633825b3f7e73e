//! Whether a route makes sense.

use shared::policies::{EgressRoute, FieldError};

use super::target;

/// What is wrong with a route.
pub fn check(route: &EgressRoute) -> Vec<FieldError> {
    let wrong = if route.endpoint.trim().is_empty() {
        Some("it needs the URL of an HTTP API".to_owned())
    } else {
        target("", route).err()
    };
    let wrong = wrong.map(|message| FieldError {
        field: "endpoint".to_owned(),
        message,
    });
    wrong.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_http_url() {
        for (endpoint, is_fine) in [
            ("https://api.example.com", true),
            ("http://127.0.0.1:9000/v2/", true),
            ("http://[::1]:9000", true),
            ("", false),
            ("ftp://example.com", false),
            ("example.com/v1", false),
            ("/v1", false),
            ("https://user:password@example.com", false),
            ("https://example.com/?a=b", false),
            ("https://exa mple.com", false),
        ] {
            let route = EgressRoute {
                enabled: true,
                endpoint: endpoint.to_owned(),
                cache: true,
                rate_limit: true,
            };
            assert_eq!(check(&route).is_empty(), is_fine, "{endpoint}");
        }
    }
}
