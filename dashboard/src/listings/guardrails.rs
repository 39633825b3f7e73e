//! The guardrails, with how often each has acted.

use shared::AdminError;
use shared::policies::{Policy, PolicyApi, PolicyEntry, PolicyKind};

use crate::edits::{describe_action, describe_check, describe_selector, describe_side};
use crate::forms::SourceBadge;
use crate::pages::{RuleRow, Rules};

/// In the order in which they act.
pub async fn guardrails(api: &dyn PolicyApi) -> Result<Rules, AdminError> {
    let entries = api.policies(PolicyKind::Guardrail).await?;
    let stats = api.policy_stats().await?.guardrails;
    let rows = entries.into_iter().filter_map(|entry| {
        let source = SourceBadge::of(&entry);
        let PolicyEntry {
            name,
            policy,
            version,
            ..
        } = entry;
        let Policy::Guardrail(rule) = policy else {
            return None;
        };
        let counts = stats.iter().find(|counts| counts.rule == name);
        Some(RuleRow {
            order: rule.order,
            check: describe_check(&rule.check),
            action: describe_action(&rule.action).to_owned(),
            side: describe_side(rule.side).to_owned(),
            scope: describe_selector(&rule.applies_to),
            shadow: rule.shadow,
            enabled: rule.enabled && source != SourceBadge::Deleted,
            flagged: counts.map_or(0, |counts| counts.flagged),
            changed: counts.map_or(0, |counts| counts.changed),
            blocked: counts.map_or(0, |counts| counts.blocked),
            failed: counts.map_or(0, |counts| counts.failed),
            source,
            version,
            name,
        })
    });
    Ok(rows.collect())
}
