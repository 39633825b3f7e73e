//! What a tool call is made of, as this protocol wants it.

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

/// A name or an id as the API takes it: letters, digits, `_` and `-`.
pub(crate) fn allowed_word(word: &Text) -> Text {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if word.bytes().all(fine) {
        return word.clone();
    }
    let replaced = word.chars().map(|character| match u8::try_from(character) {
        Ok(byte) if fine(byte) => character,
        _ => '_',
    });
    Text::from(replaced.collect::<String>())
}
