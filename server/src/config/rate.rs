//! So much in a window: what `[[limits]]` say, and the `limits` of keys and projects.

use std::time::Duration;

use shared::policies::{Algorithm, Rate};

use super::reading::{Section, Words};
use crate::limits::check_rate;

/// The keys of a rate in `section`: `requests`, `tokens`, `window` and `algorithm`. Reports what is wrong with them.
pub(super) fn read(section: &mut Section<'_, '_>) -> Rate {
    let requests = section.optional("requests");
    let tokens = section.optional("tokens");
    let before = section.reader().problems.len();
    let window: Duration = section.required("window");
    let window_is_known = section.reader().problems.len() == before;
    let rate = Rate {
        requests,
        tokens,
        window_seconds: window.as_secs(),
        algorithm: section.value("algorithm", Algorithm::default()),
    };
    if window_is_known && window.subsec_nanos() > 0 {
        let path = section.path_of("window");
        section.reader().problem(&path, "must be whole seconds");
    }
    for error in check_rate(&rate) {
        let key = match error.field.as_str() {
            "window_seconds" if !window_is_known => continue,
            "window_seconds" => "window",
            other => other,
        };
        let path = section.path_of(key);
        section.reader().problem(&path, error.message);
    }
    rate
}

impl Words for Algorithm {
    const NOUN: &'static str = "algorithm";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("fixed_window", Self::FixedWindow),
        ("sliding_window", Self::SlidingWindow),
        ("token_bucket", Self::TokenBucket),
    ];
}
