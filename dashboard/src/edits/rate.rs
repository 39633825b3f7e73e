//! Rates and rate limits.

use shared::policies::{Algorithm, Per, Rate, RateLimit};

use super::{Fields, amount, selector, units, word};
use crate::format;
use crate::forms::Values;

pub fn write(limit: &RateLimit) -> Values {
    let mut values = Values::default();
    values.tick("enabled", limit.enabled);
    values.put("description", limit.description.clone().unwrap_or_default());
    values.put("per", word(limit.per));
    selector::write(&limit.applies_to, "applies_to.", &mut values);
    write_rate(&limit.rate, "rate.", &mut values);
    values
}

pub fn read(fields: &Fields<'_>) -> RateLimit {
    RateLimit {
        enabled: fields.is_on("enabled"),
        description: fields.some("description"),
        applies_to: selector::read(fields, "applies_to."),
        per: fields.choice("per"),
        rate: read_rate(fields, "rate."),
    }
}

pub fn describe(limit: &RateLimit) -> String {
    [
        Some(describe_rate(&limit.rate)),
        per(limit.per).map(str::to_owned),
        selector::describe(&limit.applies_to),
        (!limit.enabled).then(|| "disabled".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ")
}

pub fn write_rate(rate: &Rate, prefix: &str, values: &mut Values) {
    values.put(format!("{prefix}requests"), amount(rate.requests));
    values.put(format!("{prefix}tokens"), amount(rate.tokens));
    let window = match rate.window_seconds {
        0 => String::new(),
        window => units::seconds(window),
    };
    values.put(format!("{prefix}window_seconds"), window);
    values.put(format!("{prefix}algorithm"), word(rate.algorithm));
}

pub fn read_rate(fields: &Fields<'_>, prefix: &str) -> Rate {
    let name = |field: &str| format!("{prefix}{field}");
    let amounts = [name("requests"), name("tokens")];
    if amounts.iter().all(|amount| fields.some(amount).is_none()) {
        fields.wrong(&amounts[0], "Give a number of requests or of tokens.");
    }
    Rate {
        requests: fields.number(&name("requests")),
        tokens: fields.number(&name("tokens")),
        // One minute is what most people mean.
        window_seconds: match fields.some(&name("window_seconds")) {
            None => 60,
            Some(_) => fields.seconds(&name("window_seconds")).unwrap_or(60),
        },
        algorithm: fields.choice(&name("algorithm")),
    }
}

/// `60 requests, 10,000 tokens in 1m`.
pub fn describe_rate(rate: &Rate) -> String {
    let amounts: Vec<_> = [
        rate.requests.map(|count| format::counted(count, "request")),
        rate.tokens.map(|count| format::counted(count, "token")),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!(
        "{} in {}{}",
        amounts.join(", "),
        units::seconds(rate.window_seconds),
        match rate.algorithm {
            Algorithm::FixedWindow => "",
            Algorithm::SlidingWindow => ", sliding",
            Algorithm::TokenBucket => ", token bucket",
        }
    )
}

/// What is counted apart; `None`: nothing.
pub fn per(per: Per) -> Option<&'static str> {
    match per {
        Per::All => None,
        Per::Address => Some("each address"),
        Per::Key => Some("each key"),
        Per::Project => Some("each project"),
        Per::Model => Some("each model"),
    }
}
