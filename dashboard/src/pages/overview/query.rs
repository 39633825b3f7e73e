//! What the page shows, as it stands in the URL.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use shared::TimeRange;
use shared::analytics::OverviewQuery;

use crate::href::Href;

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
    Href::of("/")
        .with("range", query.range.as_str())
        .with_some("provider", query.provider.as_deref())
        .with_some("model", query.model.as_deref())
        .into_text()
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
