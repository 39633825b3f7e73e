//! What a client is told whose request would cost more than is left.

use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use llm::error::{ApiError, ErrorKind, ErrorSource};
use shared::policies::Period;

use super::account::{Dimension, Owner};
use super::book::{Place, Refused};

/// The code of a refusal for want of money.
const BUDGET: &str = "budget_exceeded";
/// And of requests or tokens.
const QUOTA: &str = "quota_exceeded";

pub(super) fn error(refused: &Refused, places: &[Place]) -> ApiError {
    let (at, dimension, limit, spent, reserved, wanted) = match refused {
        Refused::Exceeded {
            place,
            dimension,
            limit,
            spent,
            reserved,
            wanted,
        } => (*place, *dimension, *limit, *spent, *reserved, *wanted),
        Refused::Unwritten(why) => {
            tracing::error!(%why, "The ledger of budgets cannot be written: requests under a budget are refused");
            let message = "A budget holds for this request, and what it costs cannot be written down just now. Try again \
                           later.";
            return ApiError::new(ErrorKind::Overloaded, ErrorSource::Gateway, message)
                .with_code("ledger_unavailable")
                .with_retry_after(Duration::from_secs(1));
        }
    };
    let place = &places[at];
    let key = &place.key;
    let whose = match (key.owner, &key.subject) {
        (Owner::Budget, None) => format!("`{}`", key.name),
        (Owner::Budget, Some(subject)) => format!("`{}` of `{subject}`", key.name),
        (Owner::Key, _) => format!("of the key `{}`", key.name),
        (Owner::Project, _) => format!("of the project `{}`", key.name),
    };
    let period = match key.period {
        Period::Day => " a day",
        Period::Week => " a week",
        Period::Month => " a month",
        Period::Total => " in all",
    };
    let (noun, code) = match dimension {
        Dimension::Money => ("budget", BUDGET),
        Dimension::Requests | Dimension::Tokens => ("quota", QUOTA),
    };
    let mut message = format!(
        "The {noun} {whose} of {}{period} does not suffice: {} used",
        dimension.written(limit),
        dimension.written(spent),
    );
    if reserved > 0 {
        let reserved = dimension.written(reserved);
        message.push_str(&format!(", {reserved} held for requests under way"));
    }
    if dimension != Dimension::Requests {
        let wanted = dimension.written(wanted);
        message.push_str(&format!(", and this request may take up to {wanted}"));
    }
    message.push('.');
    if let Some(ends) = place.ends {
        let at = ends.to_rfc3339_opts(SecondsFormat::Secs, true);
        message.push_str(&format!(" It is renewed at {at}."));
    }
    let error =
        ApiError::new(ErrorKind::QuotaExceeded, ErrorSource::Policy, message).with_code(code);
    match place.ends {
        Some(ends) => {
            // A full second more than too early.
            let left = (ends.with_timezone(&Utc) - Utc::now()).num_seconds().max(0) + 1;
            error.with_retry_after(Duration::from_secs(left.unsigned_abs()))
        }
        None => error,
    }
}
