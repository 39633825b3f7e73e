//! Rate limits, quotas and budgets with what is used of them.

use chrono::{DateTime, Utc};
use shared::AdminError;
use shared::policies::{
    Allowance, BudgetState, LimitState, Policy, PolicyApi, PolicyEntry, PolicyKind, Rate,
};

use crate::edits::{describe_allowance, describe_rate, describe_selector, moment, per};
use crate::format;
use crate::forms::{SourceBadge, Used};
use crate::pages::{LimitRow, LimitUse, Limits};

/// How many counts are shown.
const SHOWN: usize = 50;
/// How many are asked for, so that each limit's fullest is among them.
const ASKED: usize = 2_000;

pub async fn limits(api: &dyn PolicyApi) -> Result<Limits, AdminError> {
    let entries = api.policies(PolicyKind::Limit).await?;
    let states = api.limit_states(ASKED).await?;
    let uses: Vec<_> = states.iter().map(limit_use).collect();
    let rows = entries.into_iter().filter_map(|entry| {
        let source = SourceBadge::of(&entry);
        let PolicyEntry { name, policy, .. } = entry;
        let Policy::Limit(limit) = policy else {
            return None;
        };
        Some(LimitRow {
            description: limit.description,
            what: describe_rate(&limit.rate),
            per: per(limit.per).map(|per| format!("for {per}")),
            scope: describe_selector(&limit.applies_to),
            used: fullest(&uses, &name),
            refused: refused(&uses, &name),
            enabled: limit.enabled && source != SourceBadge::Deleted,
            source,
            name,
        })
    });
    Ok(Limits {
        rows: rows.collect(),
        uses: shown(uses),
    })
}

pub async fn budgets(api: &dyn PolicyApi) -> Result<Limits, AdminError> {
    let entries = api.policies(PolicyKind::Budget).await?;
    let states = api.budget_states(ASKED).await?;
    let uses: Vec<_> = states.iter().map(budget_use).collect();
    let rows = entries.into_iter().filter_map(|entry| {
        let source = SourceBadge::of(&entry);
        let PolicyEntry { name, policy, .. } = entry;
        let Policy::Budget(budget) = policy else {
            return None;
        };
        Some(LimitRow {
            description: None,
            what: describe_allowance(&budget.allowance),
            per: per(budget.per).map(|per| format!("for {per}")),
            scope: describe_selector(&budget.applies_to),
            used: fullest(&uses, &name),
            refused: refused(&uses, &name),
            enabled: budget.enabled && source != SourceBadge::Deleted,
            source,
            name,
        })
    });
    Ok(Limits {
        rows: rows.collect(),
        uses: shown(uses),
    })
}

/// The fullest count of a limit.
pub(super) fn fullest(uses: &[LimitUse], limit: &str) -> Option<Used> {
    uses.iter()
        .filter(|one| one.limit == limit)
        .max_by_key(|one| one.used.permille)
        .map(|one| one.used.clone())
}

fn refused(uses: &[LimitUse], limit: &str) -> u64 {
    uses.iter()
        .filter(|one| one.limit == limit)
        .map(|one| one.refused)
        .sum()
}

fn shown(mut uses: Vec<LimitUse>) -> Vec<LimitUse> {
    uses.truncate(SHOWN);
    uses
}

pub(super) fn limit_use(state: &LimitState) -> LimitUse {
    LimitUse {
        limit: state.limit.clone(),
        subject: state.subject.clone(),
        used: rate_used(&state.rate, state),
        refused: state.refused,
    }
}

fn rate_used(rate: &Rate, state: &LimitState) -> Used {
    most(
        [
            rate.requests
                .map(|allowed| Part::count(state.requests_used, allowed, "request")),
            rate.tokens
                .map(|allowed| Part::count(state.tokens_used, allowed, "token")),
        ],
        Some(resets(state.resets_at)),
    )
}

pub(super) fn budget_use(state: &BudgetState) -> LimitUse {
    LimitUse {
        limit: state.budget.clone(),
        subject: state.subject.clone(),
        used: allowance_used(&state.allowance, state),
        refused: state.refused,
    }
}

fn allowance_used(allowance: &Allowance, state: &BudgetState) -> Used {
    let money = allowance.cost_nanos.map(|allowed| {
        let mut text = format!("{} of {allowed}", state.spent_nanos);
        if state.reserved_nanos.0 > 0 {
            text.push_str(&format!(", {} held back", state.reserved_nanos));
        }
        if state.uncertain_nanos.0 > 0 {
            text.push_str(&format!(", {} of it uncertain", state.uncertain_nanos));
        }
        let taken = (state.spent_nanos + state.reserved_nanos).0.max(0);
        Part {
            text,
            permille: permille(taken.unsigned_abs(), allowed.0.max(0).unsigned_abs()),
        }
    });
    most(
        [
            money,
            allowance
                .requests
                .map(|allowed| Part::count(state.requests_used, allowed, "request")),
            allowance
                .tokens
                .map(|allowed| Part::count(state.tokens_used, allowed, "token")),
        ],
        state.resets_at.map(|at| format!("until {}", moment(at))),
    )
}

/// One amount of several.
struct Part {
    text: String,
    permille: u16,
}

impl Part {
    fn count(used: u64, allowed: u64, what: &str) -> Self {
        Self {
            text: format!(
                "{} of {}",
                format::exact(used),
                format::counted(allowed, what)
            ),
            permille: permille(used, allowed),
        }
    }
}

/// All amounts in one text, with the bar of the fullest.
fn most(parts: impl IntoIterator<Item = Option<Part>>, resets: Option<String>) -> Used {
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let texts: Vec<_> = parts.iter().map(|part| part.text.as_str()).collect();
    Used {
        text: texts.join("; "),
        permille: parts.iter().map(|part| part.permille).max().unwrap_or(0),
        resets,
    }
}

fn permille(used: u64, allowed: u64) -> u16 {
    let part = u128::from(used) * 1_000 / u128::from(allowed.max(1));
    u16::try_from(part.min(1_000)).unwrap_or(1_000)
}

fn resets(at: DateTime<Utc>) -> String {
    format!("until {}", at.format("%H:%M:%S UTC"))
}
