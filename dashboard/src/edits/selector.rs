//! Whose requests a policy is about.

use shared::policies::Selector;

use super::Fields;
use super::elements::with_commas;
use crate::forms::Values;

const LISTS: [&str; 5] = [
    "keys",
    "projects",
    "models",
    "addresses",
    "except_addresses",
];

fn lists(selector: &Selector) -> [&Vec<String>; 5] {
    [
        &selector.keys,
        &selector.projects,
        &selector.models,
        &selector.addresses,
        &selector.except_addresses,
    ]
}

pub fn write(selector: &Selector, prefix: &str, values: &mut Values) {
    for (name, list) in LISTS.into_iter().zip(lists(selector)) {
        values.put(format!("{prefix}{name}"), with_commas(list));
    }
}

pub fn read(fields: &Fields<'_>, prefix: &str) -> Selector {
    let [keys, projects, models, addresses, except_addresses] =
        LISTS.map(|name| fields.list(&format!("{prefix}{name}")));
    Selector {
        keys,
        projects,
        models,
        addresses,
        except_addresses,
    }
}

/// In words; `None`: all.
pub fn describe(selector: &Selector) -> Option<String> {
    let parts: Vec<_> = ["key", "project", "model", "address", "except"]
        .into_iter()
        .zip(lists(selector))
        .filter(|(_, list)| !list.is_empty())
        .map(|(what, list)| match list.as_slice() {
            [one] => format!("{what} {one}"),
            many if what == "except" => format!("except {}", many.join(", ")),
            many if what == "address" => format!("addresses {}", many.join(", ")),
            many => format!("{what}s {}", many.join(", ")),
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}
