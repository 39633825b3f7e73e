//! Whether a rate limit makes sense.

use shared::policies::{FieldError, Rate, RateLimit};

/// A year: whoever counts longer wants a quota.
const LONGEST_WINDOW: u64 = 366 * 86_400;
/// What fits the number in a header: <https://www.rfc-editor.org/rfc/rfc9651#name-integers>
const MOST: u64 = 999_999_999_999_999;

/// What is wrong with a rate limit in itself, by its fields. What it applies to is looked at among the other policies.
pub fn check(limit: &RateLimit) -> Vec<FieldError> {
    let errors = check_rate(&limit.rate).into_iter();
    errors
        .map(|error| FieldError {
            field: format!("rate.{}", error.field),
            ..error
        })
        .collect()
}

/// What is wrong with a rate, by its fields.
pub fn check_rate(rate: &Rate) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: &str| {
        errors.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    if rate.requests.is_none() && rate.tokens.is_none() {
        wrong(
            "requests",
            "missing; say how many requests, how many tokens, or both",
        );
    }
    for (field, amount) in [("requests", rate.requests), ("tokens", rate.tokens)] {
        match amount {
            Some(0) => wrong(field, "must be at least 1"),
            Some(amount) if amount > MOST => {
                wrong(field, "must be at most 999999999999999");
            }
            _ => {}
        }
    }
    if rate.window_seconds == 0 {
        wrong("window_seconds", "must be at least one second");
    } else if rate.window_seconds > LONGEST_WINDOW {
        wrong(
            "window_seconds",
            "must be at most 366 days; a quota counts longer",
        );
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(requests: Option<u64>, tokens: Option<u64>, window_seconds: u64) -> Vec<String> {
        let rate = Rate {
            requests,
            tokens,
            window_seconds,
            ..Rate::default()
        };
        let errors = check_rate(&rate).into_iter();
        errors.map(|error| error.field).collect()
    }

    #[test]
    fn says_which_field_is_wrong() {
        assert!(wrong(Some(1), None, 1).is_empty());
        assert!(wrong(None, Some(5), 366 * 86_400).is_empty());
        assert_eq!(wrong(None, None, 60), ["requests"]);
        assert_eq!(wrong(Some(0), Some(0), 60), ["requests", "tokens"]);
        assert_eq!(
            wrong(Some(u64::MAX), Some(1), 0),
            ["requests", "window_seconds"]
        );
        assert_eq!(wrong(Some(1), None, 367 * 86_400), ["window_seconds"]);
    }
}
