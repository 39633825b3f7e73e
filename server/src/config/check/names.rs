//! Names that things are found by.

use std::collections::HashMap;

use crate::config::reading::Reader;

/// Each name of `list` must be the only one.
pub(super) fn check(list: &str, names: &[&str], reader: &mut Reader<'_>) {
    let mut known = HashMap::new();
    for (i, name) in names.iter().enumerate() {
        let first = *known.entry(name).or_insert(i);
        if first != i && !name.is_empty() {
            reader.problem(
                &format!("{list}[{i}].name"),
                format!("\"{name}\" is already the name of {list}[{first}]; names must differ"),
            );
        }
    }
}
