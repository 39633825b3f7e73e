//! Client keys and projects, with what is used of their limits.

use chrono::Utc;
use shared::AdminError;
use shared::policies::{ClientKey, Policy, PolicyApi, PolicyEntry, PolicyKind};

use super::limits::{budget_use, fullest, limit_use};
use crate::edits::{describe_allowance, describe_rate, moment, restrictions};
use crate::forms::SourceBadge;
use crate::pages::{KeyRow, Keys, KeysWanted, LimitUse};

/// How many keys are shown.
const SHOWN: usize = 100;
/// How many counts are asked for: all that may be theirs.
const ASKED: usize = 20_000;

/// Those that are looked for, the first of them.
pub async fn keys(api: &dyn PolicyApi, wanted: &KeysWanted) -> Result<Keys, AdminError> {
    let entries = api.policies(PolicyKind::Key).await?;
    let uses = uses(api).await?;
    let now = Utc::now();
    let all = entries.len();
    let mut found: Vec<_> = entries
        .into_iter()
        .filter_map(|entry| {
            let source = SourceBadge::of(&entry);
            match entry.policy {
                Policy::Key(key) => Some((entry.name, key, source)),
                _ => None,
            }
        })
        .filter(|(name, key, _)| is_wanted(wanted, name, key))
        .collect();
    let count = found.len();
    found.truncate(SHOWN);
    let rows = found.into_iter().map(|(name, key, source)| {
        let expired = key.expires_at.is_some_and(|at| at <= now);
        let mut limits = restrictions(&key.models, &key.providers);
        limits.extend(key.rates.iter().map(describe_rate));
        limits.extend(key.allowances.iter().map(describe_allowance));
        KeyRow {
            used: fullest(&uses, &format!("key {name}")),
            about: key.owner,
            tags: key.tags,
            project: key.project,
            prefixes: key.prefixes.into_iter().map(|one| one.prefix).collect(),
            expires: key.expires_at.map(moment),
            limits,
            state: state(key.enabled && source != SourceBadge::Deleted, expired).to_owned(),
            source,
            name,
        }
    });
    Ok(Keys {
        rows: rows.collect(),
        found: count,
        all,
    })
}

fn is_wanted(wanted: &KeysWanted, name: &str, key: &ClientKey) -> bool {
    if wanted.project.is_some() && key.project != wanted.project {
        return false;
    }
    let Some(text) = wanted.text.as_ref().map(|text| text.to_lowercase()) else {
        return true;
    };
    std::iter::once(name)
        .chain(key.owner.as_deref())
        .chain(key.project.as_deref())
        .chain(key.tags.iter().map(String::as_str))
        .chain(key.prefixes.iter().map(|one| one.prefix.as_str()))
        .any(|one| one.to_lowercase().contains(&text))
}

pub async fn projects(api: &dyn PolicyApi) -> Result<Keys, AdminError> {
    let entries = api.policies(PolicyKind::Project).await?;
    let uses = uses(api).await?;
    let all = entries.len();
    let rows = entries.into_iter().filter_map(|entry| {
        let source = SourceBadge::of(&entry);
        let PolicyEntry { name, policy, .. } = entry;
        let Policy::Project(project) = policy else {
            return None;
        };
        let mut limits = restrictions(&project.models, &project.providers);
        limits.extend(project.rates.iter().map(describe_rate));
        limits.extend(project.allowances.iter().map(describe_allowance));
        Some(KeyRow {
            used: fullest(&uses, &format!("project {name}")),
            about: project.description,
            tags: Vec::new(),
            project: None,
            prefixes: Vec::new(),
            expires: None,
            limits,
            state: state(project.enabled && source != SourceBadge::Deleted, false).to_owned(),
            source,
            name,
        })
    });
    Ok(Keys {
        rows: rows.collect(),
        found: all,
        all,
    })
}

/// Every count of rates and allowances.
async fn uses(api: &dyn PolicyApi) -> Result<Vec<LimitUse>, AdminError> {
    let rates = api.limit_states(ASKED).await?;
    let allowances = api.budget_states(ASKED).await?;
    Ok(allowances
        .iter()
        .map(budget_use)
        .chain(rates.iter().map(limit_use))
        .collect())
}

fn state(enabled: bool, expired: bool) -> &'static str {
    match (enabled, expired) {
        (false, _) => "disabled",
        (true, true) => "expired",
        (true, false) => "on",
    }
}
