//! A list of things that have several fields each: a row for each, and some to add.

use leptos::prelude::*;

use super::{Form, Values};
use crate::viewer::may_edit;

/// How many can be added at once.
const SPARE: usize = 3;

/// What is edited in rows. A row whose `plain` fields are all empty is none: that is how one is added or left out.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// The name of the list: `rates` has the fields `rates[0].requests`…
    pub list: &'static str,
    pub title: &'static str,
    pub hint: &'static str,
    /// What one is called: "rate limit".
    pub one: &'static str,
    /// What one presses to get another: "Add a rate limit".
    pub add: &'static str,
    /// The fields that say whether a row is used.
    pub plain: &'static [&'static str],
    /// The fields of the row with this prefix: `rates[0].`.
    pub fields: fn(&Form, &str) -> AnyView,
}

impl Rows {
    /// The numbers of the rows in which something is said.
    pub fn used(self, values: &Values) -> impl Iterator<Item = usize> {
        (0..values.rows(self.list)).filter(move |index| {
            let mut plain = self.plain.iter();
            plain.any(|name| {
                let field = format!("{}[{index}].{name}", self.list);
                !values.get(&field).trim().is_empty()
            })
        })
    }

    pub fn show(self, form: &Form) -> AnyView {
        let prefix = |index: usize| format!("{}[{index}].", self.list);
        let count = form.values.rows(self.list);
        // What was sent has the spare rows too.
        let told = (0..count).filter(|index| form.tells_of(&prefix(*index)));
        let last = self.used(&form.values).chain(told).max();
        let used = last.map_or(0, |last| last + 1);
        let rows = (0..used)
            .map(|index| {
                view! {
                    <div class="row-fields" role="group" aria-label=format!("{} {}", self.one, index + 1)>
                        {(self.fields)(form, &prefix(index))}
                    </div>
                }
            })
            .collect_view();
        let spare = may_edit().then(|| self.spare(form, used, SPARE));
        let note = (used > 0 && may_edit()).then(|| {
            view! { <p class="hint">"To remove one, empty its fields."</p> }
        });
        view! {
            <fieldset class="group wide">
                <legend>{self.title}</legend>
                <p class="hint">{self.hint}</p>
                {rows}
                {spare}
                {note}
            </fieldset>
        }
        .into_any()
    }

    /// Each opens to an empty row and, below it, the next: none of them needs a script.
    fn spare(self, form: &Form, index: usize, left: usize) -> AnyView {
        if left == 0 {
            return ().into_any();
        }
        let fields = (self.fields)(form, &format!("{}[{index}].", self.list));
        let label = format!("{} {}", self.one, index + 1);
        view! {
            <details class="spare">
                <summary>{self.add}</summary>
                <div class="row-fields" role="group" aria-label=label>
                    {fields}
                </div>
                {self.spare(form, index + 1, left - 1)}
            </details>
        }
        .into_any()
    }
}
