//! What may be spent of everybody together: `max_budget` and `budget_duration`
//! (<https://docs.litellm.ai/docs/proxy/users#set-budgets>).

use super::super::sheet::{Grade, Sheet, text};
use super::super::source::{Said, Source};

/// Durations that begin anew where a period of ours does: LiteLLM has days begin at midnight, seven of them on Monday,
/// and thirty on the first of a month.
const PERIODS: [(&str, &str); 6] = [
    ("1d", "day"),
    ("24h", "day"),
    ("7d", "week"),
    ("1w", "week"),
    ("30d", "month"),
    ("1mo", "month"),
];

pub(super) fn read(table: &mut Source<'_>, sheet: &mut Sheet<'_>) {
    let keys = ["max_budget", "budget_duration", "timezone"];
    let [budget, duration, zone] = keys.map(|key| table.get(key));
    let of_no_use = |said: Option<Said<'_>>, sheet: &mut Sheet<'_>| {
        if let Some(said) = said {
            sheet.without_effect(&said, "it is about budgets, and there is none");
        }
    };
    let amount = budget.as_ref().filter(|said| !said.is_off());
    let amount = amount.and_then(|said| said.number(sheet));
    let (Some(budget), Some(0.000_000_001..)) = (&budget, amount) else {
        for said in [budget, duration, zone] {
            of_no_use(said, sheet);
        }
        return;
    };
    let Some(duration) = duration.filter(|said| !said.is_off()) else {
        of_no_use(zone, sheet);
        return sheet.not_carried(budget, "LiteLLM does not start without its budget_duration");
    };
    let word = duration.text(sheet).unwrap_or_default();
    let Some((_, period)) = PERIODS.iter().find(|(theirs, _)| *theirs == word) else {
        let why = "budgets are of a day, a week from Monday on, a month, or for ever: write one as [[budgets]]";
        of_no_use(zone, sheet);
        sheet.not_carried(budget, why);
        return sheet.not_carried(&duration, why);
    };
    let mut item = sheet.item("budgets", &budget.path, budget.line);
    item.assume("name", text("max_budget"));
    let how = "held back before each call and settled after it, so that it is never passed; what has no price is \
               refused (price_unknown) where LiteLLM takes it for nothing: see [[prices]]";
    let grade = Grade::Approximate(how.to_owned());
    item.set(sheet, "dollars", budget.value.clone(), budget, grade);
    item.set(sheet, "period", text(*period), &duration, Grade::Exact);
    sheet.put("budgets", item);
    if let Some(zone) = zone {
        sheet.copy("server.time_zone", &zone);
    }
}
