//! Which allowances hold for a request.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use foldhash::HashMap;
use shared::policies::{Allowance, Per, Period};

use super::account::{AccountKey, Owner};
use super::book::Place;
use super::calendar::Calendar;
use crate::auth::Caller;
use crate::config::Config;
use crate::selection::Selection;

/// A client can write anything as a model's name.
const LONGEST_SUBJECT: usize = 200;

/// The allowances there are.
#[derive(Debug, Default)]
pub(super) struct Rules {
    budgets: Selection<Rule>,
    keys: HashMap<String, Vec<Rule>>,
    projects: HashMap<String, Vec<Rule>>,
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub owner: Owner,
    pub name: Arc<str>,
    pub per: Per,
    pub allowance: Arc<Allowance>,
}

impl Rules {
    pub fn new(config: &Config) -> Self {
        let enabled = config.budgets.iter().filter(|(_, budget)| budget.enabled);
        let budgets = enabled.map(|(name, budget)| {
            let rule = Rule {
                owner: Owner::Budget,
                name: name.as_str().into(),
                per: budget.per,
                allowance: Arc::new(budget.allowance.clone()),
            };
            (budget.applies_to.clone(), rule)
        });
        let own = |owner, name: &str, allowances: &[Allowance]| {
            let rules: Vec<Rule> = merged(allowances)
                .map(|allowance| Rule {
                    owner,
                    name: name.into(),
                    per: Per::All,
                    allowance: Arc::new(allowance),
                })
                .collect();
            (!rules.is_empty()).then(|| (name.to_owned(), rules))
        };
        let keys = config.keys.iter();
        let projects = config.projects.iter();
        Self {
            budgets: budgets.collect(),
            keys: keys
                .filter_map(|key| own(Owner::Key, &key.name, &key.settings.allowances))
                .collect(),
            projects: projects
                .filter_map(|(name, project)| own(Owner::Project, name, &project.allowances))
                .collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.budgets.is_empty() && self.keys.is_empty() && self.projects.is_empty()
    }

    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        let own = self.keys.values().chain(self.projects.values()).flatten();
        self.budgets.iter().chain(own)
    }

    /// What holds for the accounts of an owner's name and period.
    pub fn allowances(&self) -> HashMap<(Owner, Arc<str>, Period), Arc<Allowance>> {
        let of = |rule: &Rule| (rule.owner, Arc::clone(&rule.name), rule.allowance.period);
        self.all()
            .map(|rule| (of(rule), Arc::clone(&rule.allowance)))
            .collect()
    }

    pub fn matching<'r>(
        &'r self,
        caller: &'r Caller,
        model: Option<&'r str>,
    ) -> impl Iterator<Item = &'r Rule> {
        let own = |rules: &'r HashMap<String, Vec<Rule>>, name: Option<&Arc<str>>| {
            let rules = name.and_then(|name| rules.get(&**name));
            rules.map_or(&[][..], Vec::as_slice)
        };
        self.budgets
            .matching(caller.subject(model))
            .chain(own(&self.keys, caller.key_name()))
            .chain(own(&self.projects, caller.project()))
    }
}

/// Allowances of the same period count on the same account: of each amount the smallest holds.
fn merged(allowances: &[Allowance]) -> impl Iterator<Item = Allowance> {
    let mut merged: Vec<Allowance> = Vec::new();
    for allowance in allowances {
        match merged
            .iter_mut()
            .find(|other| other.period == allowance.period)
        {
            None => merged.push(allowance.clone()),
            Some(other) => {
                other.requests = least(other.requests, allowance.requests);
                other.tokens = least(other.tokens, allowance.tokens);
                other.cost_nanos = least(other.cost_nanos, allowance.cost_nanos);
                other.alerts.extend(&allowance.alerts);
                other.alerts.sort_unstable();
                other.alerts.dedup();
            }
        }
    }
    merged.into_iter()
}

fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl Rule {
    /// The account of such a request.
    pub fn place(
        &self,
        caller: &Caller,
        model: Option<&str>,
        calendar: &Calendar,
        now: DateTime<Utc>,
    ) -> Place {
        let period = self.allowance.period;
        let span = calendar.span(period, now);
        Place {
            key: AccountKey {
                owner: self.owner,
                name: Arc::clone(&self.name),
                subject: self.subject(caller, model),
                period,
                first_day: span.first_day,
            },
            allowance: Arc::clone(&self.allowance),
            ends: span.ends.map(|ends| ends.with_timezone(&calendar.zone())),
        }
    }

    fn subject(&self, caller: &Caller, model: Option<&str>) -> Option<Arc<str>> {
        match self.per {
            Per::All => None,
            Per::Address => caller.address.map(|address| network(address).into()),
            Per::Key => caller.key_name().cloned(),
            Per::Project => caller.project().cloned(),
            Per::Model => {
                let model = caller.subject(model).counted_as();
                let model = model.filter(|model| !model.is_empty())?;
                Some(model[..model.floor_char_boundary(LONGEST_SUBJECT)].into())
            }
        }
    }
}

/// One client: with IPv6, whoever has an address has its whole network.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let mut segments = address.segments();
            segments[4..].fill(0);
            format!("{}/64", std::net::Ipv6Addr::from(segments))
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::CostNanos;
    use shared::policies::Period;

    use super::*;

    #[test]
    fn allowances_of_one_period_are_one() {
        let day = |requests, cost: Option<i64>, alerts: &[u8]| Allowance {
            requests,
            cost_nanos: cost.map(CostNanos),
            period: Period::Day,
            alerts: alerts.to_vec(),
            ..Allowance::default()
        };
        let month = Allowance {
            tokens: Some(7),
            ..Allowance::default()
        };
        let all = [
            day(Some(5), None, &[80]),
            month.clone(),
            day(Some(3), Some(9), &[50, 80]),
        ];
        let merged: Vec<_> = merged(&all).collect();
        assert_eq!(merged, [day(Some(3), Some(9), &[50, 80]), month]);
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected);
        }
    }
}
