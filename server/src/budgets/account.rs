//! Where requests are counted.

use std::sync::Arc;

use chrono::NaiveDate;
use shared::policies::{Allowance, Period};

use super::Amount;

/// Whose an account is. A budget is known by its name, whatever it says: when it is edited, what was spent stays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountKey {
    pub owner: Owner,
    pub name: Arc<str>,
    /// What is counted apart there; `None`: nothing.
    pub subject: Option<Arc<str>>,
    pub period: Period,
    /// The period's first day by the operator's clock; `None`: it is all time.
    pub first_day: Option<NaiveDate>,
}

/// Who has an allowance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// One of the operator's budgets.
    Budget,
    Key,
    Project,
}

impl Owner {
    pub const ALL: [Self; 3] = [Self::Budget, Self::Key, Self::Project];

    /// In the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::Key => "key",
            Self::Project => "project",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|owner| owner.as_str() == name)
    }
}

pub const PERIODS: [(Period, &str); 4] = [
    (Period::Day, "day"),
    (Period::Week, "week"),
    (Period::Month, "month"),
    (Period::Total, "total"),
];

/// In the database and in messages.
pub fn period_name(period: Period) -> &'static str {
    let found = PERIODS.iter().find(|(one, _)| *one == period);
    found.map_or("", |(_, name)| name)
}

impl AccountKey {
    /// What people call it: `team`, `key alice`.
    pub fn label(&self) -> String {
        match self.owner {
            Owner::Budget => self.name.to_string(),
            Owner::Key => format!("key {}", self.name),
            Owner::Project => format!("project {}", self.name),
        }
    }
}

/// What an account holds that outlives the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What was used, `uncertain` included.
    pub spent: Amount,
    /// Of it, what nobody told: counted at the most that it may have been.
    pub uncertain: Amount,
    /// The highest percentages that were told: of requests, of tokens, of money.
    pub told: [u8; 3],
}

/// What counts against an account just now.
#[derive(Clone, Debug)]
pub struct Account {
    pub key: AccountKey,
    pub balance: Balance,
    /// What requests under way may use at most.
    pub reserved: Amount,
    /// Requests refused since the start.
    pub refused: u64,
    /// What holds for it; `None`: it is not known yet, or nothing does.
    pub allowance: Option<Arc<Allowance>>,
    /// Not yet in the database as it is here.
    pub changed: bool,
    /// The database is being given it, and may still refuse.
    pub in_flight: bool,
    /// The generation of the journal that knows it.
    pub declared: u64,
}

impl Account {
    /// Whether the database has it as it is here.
    pub fn is_written(&self) -> bool {
        !self.changed && !self.in_flight
    }

    pub fn new(key: AccountKey, balance: Balance) -> Self {
        Self {
            key,
            balance,
            reserved: Amount::default(),
            refused: 0,
            allowance: None,
            changed: false,
            in_flight: false,
            declared: 0,
        }
    }
}

/// What an allowance is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    Requests,
    Tokens,
    Money,
}

impl Dimension {
    pub const ALL: [Self; 3] = [Self::Requests, Self::Tokens, Self::Money];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Money => "dollars",
        }
    }

    pub fn of(self, amount: Amount) -> u64 {
        match self {
            Self::Requests => amount.requests,
            Self::Tokens => amount.tokens,
            Self::Money => amount.nanos,
        }
    }

    /// How much there is of it; `None`: as much as one likes.
    pub fn limit(self, allowance: &Allowance) -> Option<u64> {
        match self {
            Self::Requests => allowance.requests,
            Self::Tokens => allowance.tokens,
            Self::Money => allowance
                .cost_nanos
                .map(|nanos| u64::try_from(nanos.0).unwrap_or(0)),
        }
    }

    /// As people read it: `12.5 dollars`.
    pub fn written(self, number: u64) -> String {
        match self {
            Self::Requests if number == 1 => "1 request".to_owned(),
            Self::Requests => format!("{number} requests"),
            Self::Tokens if number == 1 => "1 token".to_owned(),
            Self::Tokens => format!("{number} tokens"),
            Self::Money => {
                let fraction = format!("{:09}", number % 1_000_000_000);
                // Cents, and more where it matters.
                let digits = fraction.trim_end_matches('0').len().max(2);
                format!("${}.{}", number / 1_000_000_000, &fraction[..digits])
            }
        }
    }
}
