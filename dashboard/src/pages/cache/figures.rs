//! How the cache fares, since the start.

use leptos::prelude::*;

use super::entries::Cached;
use crate::format;

pub fn figures(cached: &Cached) -> AnyView {
    let stats = &cached.stats;
    let asked = stats.hits + stats.misses;
    let tiles = [
        (
            "Hits",
            format::percent(stats.hits, asked),
            vec![
                ("Hits", format::exact(stats.hits)),
                ("Misses", format::exact(stats.misses)),
                ("Bypassed", format::exact(stats.bypasses)),
            ],
        ),
        (
            "Saved",
            format::cost(stats.saved_nanos),
            vec![("Since the start", String::new())],
        ),
        (
            "Saved tokens",
            format::compact(stats.saved_tokens),
            vec![("Coalesced requests", format::exact(stats.coalesced))],
        ),
        (
            "Answers held",
            format::exact(stats.entries),
            vec![("In memory", cached.size.clone())],
        ),
    ];
    let tiles = tiles
        .into_iter()
        .map(|(label, value, details)| {
            let details = details
                .into_iter()
                .map(|(name, text)| {
                    view! {
                        <div>
                            <dt>{name}</dt>
                            <dd>{text}</dd>
                        </div>
                    }
                })
                .collect_view();
            view! {
                <section class="card tile">
                    <h2>{label}</h2>
                    <p class="tile-value">
                        <span class="figure">{value}</span>
                    </p>
                    <dl>{details}</dl>
                </section>
            }
        })
        .collect_view();
    view! { <div class="tiles four">{tiles}</div> }.into_any()
}
