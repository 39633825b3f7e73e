//! A failed tool's result, for protocols that have no field for it: its text says so.

/// What it begins with.
pub(super) const ERROR: &str = "Error:";

/// Whether a text says so already.
pub(super) fn says_so(text: &str) -> bool {
    let start = text.trim_start().get(..5);
    start.is_some_and(|start| start.eq_ignore_ascii_case("error"))
}
