//! What a client says in `Cache-Control`: <https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1>

use http::HeaderMap;
use http::header::CACHE_CONTROL;

/// The directives of a request that the gateway heeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    /// The upstream is to be asked.
    pub no_cache: bool,
    /// Neither is looked, nor is anything kept.
    pub no_store: bool,
    /// Nothing older, in seconds, is wanted.
    pub max_age: Option<u64>,
    /// The upstream is not to be asked.
    pub only_if_cached: bool,
}

impl Directives {
    /// Others, and what cannot be read, are passed over.
    pub fn of(headers: Option<&HeaderMap>) -> Self {
        let mut found = Self::default();
        let values = headers.map(|headers| headers.get_all(CACHE_CONTROL));
        let values = values.into_iter().flatten();
        for directive in values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
        {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-cache" => found.no_cache = true,
                "no-store" => found.no_store = true,
                "only-if-cached" => found.only_if_cached = true,
                "max-age" => {
                    let seconds = value.trim().trim_matches('"').parse().ok();
                    // The strictest counts.
                    found.max_age = match (found.max_age, seconds) {
                        (Some(one), Some(other)) => Some(one.min(other)),
                        (one, other) => one.or(other),
                    };
                }
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_read_from_all_lines() {
        let mut headers = HeaderMap::new();
        headers.append(CACHE_CONTROL, "No-Cache, max-age=60, x".parse().unwrap());
        headers.append(
            CACHE_CONTROL,
            "max-age = \"30\" ,only-if-cached".parse().unwrap(),
        );
        headers.append(CACHE_CONTROL, "max-age=-1".parse().unwrap());
        let expected = Directives {
            no_cache: true,
            no_store: false,
            max_age: Some(30),
            only_if_cached: true,
        };
        assert_eq!(Directives::of(Some(&headers)), expected);
        assert_eq!(Directives::of(None), Directives::default());
    }
}
