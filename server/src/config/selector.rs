//! Whose requests a policy is about: lists beside its other keys.

use shared::policies::Selector;

use super::reading::Section;
use crate::selection::is_addresses;

/// The keys of a selector in `section`: `keys`, `projects`, `models`, `addresses` and `except_addresses`.
pub(super) fn read(section: &mut Section<'_, '_>) -> Selector {
    Selector {
        keys: section.values("keys", Vec::new()),
        projects: section.values("projects", Vec::new()),
        models: section.values("models", Vec::new()),
        addresses: addresses("addresses", section),
        except_addresses: addresses("except_addresses", section),
    }
}

fn addresses(key: &str, section: &mut Section<'_, '_>) -> Vec<String> {
    let addresses: Vec<String> = section.values(key, Vec::new());
    for (i, address) in addresses.iter().enumerate() {
        if !is_addresses(address) {
            let path = section.path_of(&format!("{key}[{i}]"));
            let message = format!(
                "expected an address, a network such as \"10.0.0.0/8\", or \"*.*.*.*\" for everybody, found \"{address}\""
            );
            section.reader().problem(&path, message);
        }
    }
    addresses
}
