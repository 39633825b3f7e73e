//! A tool call's arguments, which this protocol has as an object.

use crate::json::Json;
use crate::text::Text;

/// Where the text is of a tool that takes free text.
pub(crate) const FREE_TEXT: &str = "input";

/// Whole arguments; none where they are anything but an object.
pub(crate) fn input_object(arguments: &Text) -> Option<Json> {
    if !arguments.trim_ascii_start().starts_with('{') {
        return None;
    }
    Json::parse(arguments.clone()).ok()
}

/// `{}`
pub(crate) fn empty_object() -> Json {
    Json::of_valid(Text::from_static("{}"))
}
