//! So much in a period: what `[[budgets]]` say, and the `budgets` of keys and projects.

use shared::CostNanos;
use shared::policies::{Allowance, Period, usual_alerts};

use super::Dollars;
use super::reading::{Section, Words};
use crate::budgets::check_allowance;

/// The keys of an allowance in `section`: `requests`, `tokens`, `dollars`, `period` and `alerts`. Reports what is wrong
/// with them.
pub(super) fn read(section: &mut Section<'_, '_>) -> Allowance {
    let before = section.reader().problems.len();
    let dollars: Option<Dollars> = section.optional("dollars");
    let allowance = Allowance {
        requests: section.optional("requests"),
        tokens: section.optional("tokens"),
        cost_nanos: dollars
            .map(|dollars| CostNanos(i64::try_from(dollars.nanos).unwrap_or(i64::MAX))),
        period: section.value("period", Period::default()),
        alerts: section.values("alerts", usual_alerts()),
    };
    if section.reader().problems.len() > before {
        return allowance;
    }
    for error in check_allowance(&allowance) {
        let key = match error.field.as_str() {
            "cost_nanos" => "dollars",
            other => other,
        };
        let path = section.path_of(key);
        section.reader().problem(&path, error.message);
    }
    allowance
}

impl Words for Period {
    const NOUN: &'static str = "period";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("total", Self::Total),
    ];
}
