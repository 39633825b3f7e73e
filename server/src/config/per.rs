//! What is counted apart.

use shared::policies::Per;

use super::reading::Words;

impl Words for Per {
    const NOUN: &'static str = "way to count";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("all", Self::All),
        ("address", Self::Address),
        ("key", Self::Key),
        ("project", Self::Project),
        ("model", Self::Model),
    ];
}
