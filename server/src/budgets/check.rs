//! Whether a budget makes sense.

use shared::policies::{Allowance, Budget, FieldError};

/// Fits every integer on the way, with room to add.
const MOST: u64 = 1 << 60;

/// What is wrong with a budget in itself, by its fields; whom it is about is not looked at.
pub fn check(budget: &Budget) -> Vec<FieldError> {
    let mut errors = check_allowance(&budget.allowance);
    for error in &mut errors {
        error.field.insert_str(0, "allowance.");
    }
    errors
}

/// What is wrong with an allowance, by its fields.
pub fn check_allowance(allowance: &Allowance) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, message: &str| {
        errors.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    let money = allowance.cost_nanos;
    if allowance.requests.is_none() && allowance.tokens.is_none() && money.is_none() {
        wrong(
            "requests",
            "missing; say how many requests, how many tokens, how much money, or several of these",
        );
    }
    for (field, amount) in [
        ("requests", allowance.requests),
        ("tokens", allowance.tokens),
        (
            "cost_nanos",
            money.map(|nanos| u64::try_from(nanos.0).unwrap_or(0)),
        ),
    ] {
        match amount {
            Some(0) => wrong(field, "must be more than 0"),
            Some(MOST..) => wrong(field, "is too large"),
            _ => {}
        }
    }
    for (i, percent) in allowance.alerts.iter().enumerate() {
        if !(1..=100).contains(percent) {
            wrong(
                &format!("alerts[{i}]"),
                "must be a percentage from 1 to 100",
            );
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use shared::CostNanos;

    use super::*;

    #[test]
    fn says_which_field_is_wrong() {
        let fields = |allowance: Allowance| -> Vec<String> {
            let budget = Budget {
                allowance,
                ..Budget::default()
            };
            check(&budget)
                .into_iter()
                .map(|error| error.field)
                .collect()
        };
        let one = Allowance {
            requests: Some(1),
            alerts: vec![1, 100],
            ..Allowance::default()
        };
        assert!(fields(one.clone()).is_empty());
        assert_eq!(fields(Allowance::default()), ["allowance.requests"]);
        let many = Allowance {
            tokens: Some(0),
            cost_nanos: Some(CostNanos(-1)),
            alerts: vec![50, 0, 101],
            ..one
        };
        assert_eq!(
            fields(many),
            [
                "allowance.tokens",
                "allowance.cost_nanos",
                "allowance.alerts[1]",
                "allowance.alerts[2]"
            ]
        );
    }
}
