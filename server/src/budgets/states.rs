//! How budgets fare, for operators.

use std::collections::HashMap;

use chrono::Utc;
use shared::CostNanos;
use shared::policies::{BudgetState, Per};

use super::Budgets;
use super::account::{Account, AccountKey, Balance, Dimension, Owner};
use super::amount::Amount;

impl Budgets {
    /// How much of each quota and budget is used in its present period, the fullest first, at most `limit` of them.
    pub fn states(&self, limit: usize) -> Vec<BudgetState> {
        let now = Utc::now();
        let mut known: HashMap<(Owner, String), Vec<Account>> = HashMap::new();
        self.ledger.each(|account| {
            let owner = (account.key.owner, account.key.name.to_string());
            known.entry(owner).or_default().push(account.clone());
        });
        let mut states = Vec::new();
        for rule in self.rules.all() {
            let span = self.calendar.span(rule.allowance.period, now);
            let accounts = known
                .get(&(rule.owner, rule.name.to_string()))
                .map_or(&[][..], Vec::as_slice);
            let before = states.len();
            let present = accounts.iter().filter(|account| {
                let key = &account.key;
                key.period == rule.allowance.period && key.first_day == span.first_day
            });
            let state = |account: &Account| {
                let Account {
                    key,
                    balance,
                    reserved,
                    refused,
                    ..
                } = account;
                let full = fullness(&rule.allowance, balance.spent + *reserved);
                let state = BudgetState {
                    budget: key.label(),
                    per: rule.per,
                    subject: key.subject.as_deref().map(str::to_owned),
                    allowance: (*rule.allowance).clone(),
                    requests_used: balance.spent.requests,
                    tokens_used: balance.spent.tokens,
                    spent_nanos: nanos(balance.spent),
                    reserved_nanos: nanos(*reserved),
                    uncertain_nanos: nanos(balance.uncertain),
                    period_started_at: span.begins,
                    resets_at: span.ends,
                    refused: *refused,
                };
                (full, state)
            };
            states.extend(present.map(state));
            if states.len() == before && rule.per == Per::All {
                let key = AccountKey {
                    owner: rule.owner,
                    name: rule.name.clone(),
                    subject: None,
                    period: rule.allowance.period,
                    first_day: span.first_day,
                };
                states.push(state(&Account::new(key, Balance::default())));
            }
        }
        states.sort_by(|(one, a), (other, b)| {
            let names = |state: &BudgetState| (state.budget.clone(), state.subject.clone());
            other.cmp(one).then_with(|| names(a).cmp(&names(b)))
        });
        states.truncate(limit);
        states.into_iter().map(|(_, state)| state).collect()
    }
}

/// The part of the scarcest amount that is used, in millionths.
fn fullness(allowance: &shared::policies::Allowance, used: Amount) -> u128 {
    let part = |dimension: Dimension| {
        let limit = dimension.limit(allowance)?;
        Some(u128::from(dimension.of(used)) * 1_000_000 / u128::from(limit.max(1)))
    };
    Dimension::ALL
        .into_iter()
        .filter_map(part)
        .max()
        .unwrap_or(0)
}

fn nanos(amount: Amount) -> CostNanos {
    CostNanos(i64::try_from(amount.nanos).unwrap_or(i64::MAX))
}
