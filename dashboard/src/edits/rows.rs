//! Lists that are rows of a form. A row in which nothing is said is none: then the entries of the list are not the rows.

use super::Fields;
use crate::forms::{Rows, Values};
use crate::pages::{ALLOWANCES, OVERRIDES, RATES};

/// What the names of the fields of each used row begin with.
pub fn used(fields: &Fields<'_>, rows: Rows) -> impl Iterator<Item = String> {
    rows.used(fields.values)
        .map(move |index| format!("{}[{index}].", rows.list))
}

/// A field of a policy as its form has it: `rates[0].tokens` may be in another row.
pub fn in_form(field: &str, values: &Values) -> String {
    for rows in [RATES, ALLOWANCES, OVERRIDES] {
        let rest = field.strip_prefix(rows.list);
        let Some((index, rest)) = rest
            .and_then(|rest| rest.strip_prefix('['))
            .and_then(|rest| rest.split_once(']'))
        else {
            continue;
        };
        let Ok(index) = index.parse::<usize>() else {
            continue;
        };
        let used: Vec<_> = rows.used(values).collect();
        // What is not in the form comes after all that is.
        let row = match used.get(index) {
            Some(row) => *row,
            None => used.last().map_or(0, |last| last + 1) + (index - used.len()),
        };
        return format!("{}[{row}]{rest}", rows.list);
    }
    field.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_in_their_rows() {
        let mut values = Values::default();
        for (row, requests) in ["", "1", " ", "2", ""].into_iter().enumerate() {
            values.put(format!("rates[{row}].requests"), requests);
        }
        for (field, in_the_form) in [
            ("rates[0].requests", "rates[1].requests"),
            ("rates[1]", "rates[3]"),
            ("rates[2].tokens", "rates[4].tokens"),
            ("allowances[0].tokens", "allowances[0].tokens"),
            ("rates", "rates"),
            ("check.patterns[1]", "check.patterns[1]"),
        ] {
            assert_eq!(in_form(field, &values), in_the_form);
        }
    }
}
