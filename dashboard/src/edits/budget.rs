//! Allowances, quotas and budgets.

use shared::policies::{Allowance, Budget, Period, usual_alerts};

use super::{Fields, amount, rate, selector, units, word};
use crate::format;
use crate::forms::Values;

pub fn write(budget: &Budget) -> Values {
    let mut values = Values::default();
    values.tick("enabled", budget.enabled);
    values.put("per", word(budget.per));
    selector::write(&budget.applies_to, "applies_to.", &mut values);
    write_allowance(&budget.allowance, "allowance.", &mut values);
    values
}

pub fn read(fields: &Fields<'_>) -> Budget {
    Budget {
        enabled: fields.is_on("enabled"),
        applies_to: selector::read(fields, "applies_to."),
        per: fields.choice("per"),
        allowance: read_allowance(fields, "allowance."),
    }
}

pub fn describe(budget: &Budget) -> String {
    [
        Some(describe_allowance(&budget.allowance)),
        rate::per(budget.per).map(str::to_owned),
        selector::describe(&budget.applies_to),
        (!budget.enabled).then(|| "disabled".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ")
}

pub fn write_allowance(allowance: &Allowance, prefix: &str, values: &mut Values) {
    let cost = allowance.cost_nanos.map(units::dollars).unwrap_or_default();
    values.put(format!("{prefix}cost_nanos"), cost);
    values.put(format!("{prefix}requests"), amount(allowance.requests));
    values.put(format!("{prefix}tokens"), amount(allowance.tokens));
    values.put(format!("{prefix}period"), word(allowance.period));
    let alerts: Vec<_> = allowance.alerts.iter().map(u8::to_string).collect();
    values.put(format!("{prefix}alerts"), alerts.join(", "));
}

pub fn read_allowance(fields: &Fields<'_>, prefix: &str) -> Allowance {
    let name = |field: &str| format!("{prefix}{field}");
    let amounts = [name("cost_nanos"), name("requests"), name("tokens")];
    if amounts.iter().all(|amount| fields.some(amount).is_none()) {
        fields.wrong(&amounts[0], "Give an amount of money, requests or tokens.");
    }
    Allowance {
        requests: fields.number(&name("requests")),
        tokens: fields.number(&name("tokens")),
        cost_nanos: fields.money(&name("cost_nanos")),
        period: fields.choice(&name("period")),
        alerts: alerts(fields, &name("alerts")),
    }
}

fn alerts(fields: &Fields<'_>, name: &str) -> Vec<u8> {
    if !fields.values.has(name) {
        return usual_alerts();
    }
    let texts = fields.list(name);
    let alerts: Vec<_> = texts
        .iter()
        .filter_map(|text| text.trim_end_matches('%').trim().parse().ok())
        .collect();
    if alerts.len() < texts.len() {
        fields.wrong(name, "Write percentages as 50, 80, 100.");
    }
    alerts
}

/// `$12.50, 1,000 requests a month`.
pub fn describe_allowance(allowance: &Allowance) -> String {
    let amounts: Vec<_> = [
        allowance.cost_nanos.map(|cost| cost.to_string()),
        allowance
            .requests
            .map(|count| format::counted(count, "request")),
        allowance
            .tokens
            .map(|count| format::counted(count, "token")),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!("{} {}", amounts.join(", "), period(allowance.period))
}

pub fn period(period: Period) -> &'static str {
    match period {
        Period::Day => "a day",
        Period::Week => "a week",
        Period::Month => "a month",
        Period::Total => "in total",
    }
}
