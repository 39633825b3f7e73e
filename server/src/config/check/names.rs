//! Names that things are found by.

use crate::config::reading::Reader;

/// Each name of `list` must be the only one.
pub(super) fn check(list: &str, names: &[&str], reader: &mut Reader<'_>) {
    for (i, name) in names.iter().enumerate() {
        let first = names[..i].iter().position(|other| other == name);
        if let Some(first) = first.filter(|_| !name.is_empty()) {
            reader.problem(
                &format!("{list}[{i}].name"),
                format!("\"{name}\" is already the name of {list}[{first}]; names must differ"),
            );
        }
    }
}
