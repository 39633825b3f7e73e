//! What the page shows, as it stands in the URL.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use shared::TimeRange;
use shared::analytics::OverviewQuery;

/// The query in the URL; a range that does not exist is the default one.
pub fn use_overview_query() -> Memo<OverviewQuery> {
    let map = use_query_map();
    Memo::new(move |_| {
        let map = map.read();
        let named = |name: &str| map.get(name).filter(|value| !value.is_empty());
        OverviewQuery {
            range: named("range")
                .and_then(|range| range.parse::<TimeRange>().ok())
                .unwrap_or_default(),
            provider: named("provider"),
            model: named("model"),
        }
    })
}

/// The page's address for a query: `/?range=24h&provider=openai`.
pub fn overview_href(query: &OverviewQuery) -> String {
    let mut href = format!("/?range={}", query.range);
    for (name, value) in [("provider", &query.provider), ("model", &query.model)] {
        if let Some(value) = value {
            href.push('&');
            href.push_str(name);
            href.push('=');
            escape(value, &mut href);
        }
    }
    href
}

/// Percent-encodes all but the unreserved characters of
/// [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-2.3).
fn escape(value: &str, out: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte as char);
            }
            _ => {
                out.push('%');
                for half in [byte >> 4, byte & 15] {
                    out.push(char::from(b"0123456789ABCDEF"[usize::from(half)]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::TimeRange;
    use shared::analytics::OverviewQuery;

    use super::overview_href;

    #[test]
    fn names_with_slashes_and_spaces_survive() {
        let query = OverviewQuery {
            range: TimeRange::Week,
            provider: None,
            model: Some("meta/llama 3&é".to_owned()),
        };
        assert_eq!(
            overview_href(&query),
            "/?range=7d&model=meta%2Fllama%203%26%C3%A9"
        );
    }
}
