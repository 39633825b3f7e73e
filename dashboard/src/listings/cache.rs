//! What the cache holds, and how it fares.

use shared::AdminError;
use shared::policies::{CacheSelection, PolicyApi};

use crate::edits::{moment, units};
use crate::format;
use crate::pages::{Cached, CachedAnswer};

/// How many answers are shown.
const SHOWN: usize = 100;

/// The answers of a model and a key, where they are chosen.
pub async fn cache(
    api: &dyn PolicyApi,
    model: Option<String>,
    key: Option<String>,
) -> Result<Cached, AdminError> {
    let stats = api.policy_stats().await?.cache;
    let selection = CacheSelection {
        model,
        key,
        ..CacheSelection::default()
    };
    let entries = api.cache_entries(selection, SHOWN + 1).await?;
    let more = entries.len() > SHOWN;
    let answers = entries.into_iter().take(SHOWN).map(|entry| CachedAnswer {
        whose: match (&entry.key, &entry.project) {
            (Some(key), _) => format!("key {key}"),
            (None, Some(project)) => format!("project {project}"),
            (None, None) => "anybody".to_owned(),
        },
        stored: moment(entry.stored_at),
        expires: moment(entry.expires_at),
        size: units::about(entry.bytes),
        hits: entry.hits,
        tokens: entry.tokens,
        cost: entry
            .cost_nanos
            .map_or_else(|| format::NONE.to_owned(), |cost| cost.to_string()),
        id: entry.id,
        model: entry.model,
    });
    Ok(Cached {
        answers: answers.collect(),
        more,
        size: units::about(stats.bytes),
        stats,
    })
}
