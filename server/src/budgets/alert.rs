//! That a budget runs out.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::account::{Account, AccountKey, Dimension, period_name};

/// So much of an amount has been used: told once a period.
#[derive(Clone, Debug)]
pub struct Alert {
    pub at: DateTime<Utc>,
    pub account: AccountKey,
    pub dimension: Dimension,
    pub percent: u8,
    pub used: u64,
    pub limit: u64,
    /// It was logged, and handed on to be posted; the database may not have it yet.
    pub announced: bool,
}

impl Alert {
    /// Those that the account has come to, marked as told.
    pub fn due(account: &mut Account) -> Vec<Self> {
        let Some(allowance) = account.allowance.clone() else {
            return Vec::new();
        };
        if account.balance.spent.is_zero() {
            return Vec::new();
        }
        let before = account.balance.told;
        let mut due = Vec::new();
        for (dimension, told) in Dimension::ALL.into_iter().zip(&mut account.balance.told) {
            let Some(limit) = dimension.limit(&allowance) else {
                continue;
            };
            let used = dimension.of(account.balance.spent);
            let percent = u128::from(used) * 100 / u128::from(limit.max(1));
            let reached = match limit {
                0 => u8::MAX,
                _ => u8::try_from(percent).unwrap_or(u8::MAX),
            };
            // Of a limit that was raised less is used than was told.
            *told = reached.min(*told);
            let mut percents: Vec<u8> = allowance.alerts.clone();
            percents.sort_unstable();
            for percent in percents {
                if percent > *told && percent <= reached {
                    *told = percent;
                    due.push(Self {
                        at: Utc::now(),
                        account: account.key.clone(),
                        dimension,
                        percent,
                        used,
                        limit,
                        announced: false,
                    });
                }
            }
        }
        account.changed |= account.balance.told != before;
        due
    }

    pub fn log(&self) {
        tracing::warn!(
            budget = self.account.label(),
            subject = self.account.subject.as_deref(),
            period = period_name(self.account.period),
            used = self.dimension.written(self.used),
            of = self.dimension.written(self.limit),
            percent = self.percent,
            "A budget is used up to a mark"
        );
    }

    /// What a webhook is posted.
    pub fn json(&self) -> Value {
        let money = |nanos: u64| nanos as f64 / 1e9;
        let figure = |number: u64| match self.dimension {
            Dimension::Money => json!(money(number)),
            _ => json!(number),
        };
        json!({
            "event": "budget_alert",
            "at": self.at.to_rfc3339(),
            "budget": self.account.label(),
            "subject": self.account.subject.as_deref(),
            "period": period_name(self.account.period),
            "period_start": self.account.first_day.map(|day| day.to_string()),
            "what": self.dimension.as_str(),
            "percent": self.percent,
            "used": figure(self.used),
            "limit": figure(self.limit),
        })
    }
}
