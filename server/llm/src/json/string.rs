//! Strings in JSON.

use std::borrow::Cow;

use bytes::Bytes;

use super::Span;
use crate::text::Text;

/// A string as it stands in a document.
#[derive(Clone, Debug)]
pub struct JsonStr<'a> {
    inner: &'a str,
    span: Span,
    spelling: Spelling,
}

/// How much of a string is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spelling {
    /// Nothing.
    Plain,
    /// What has to be, with one letter each.
    Shortest,
    /// More, or with the digits of its code.
    Longer,
}

impl<'a> JsonStr<'a> {
    pub(super) fn new(inner: &'a str, span: Span, spelling: Spelling) -> Self {
        Self {
            inner,
            span,
            spelling,
        }
    }

    /// Where it stands, quotes included.
    pub fn span(&self) -> Span {
        self.span.start - 1..self.span.end + 1
    }

    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// What it says. A lone surrogate reads as U+FFFD.
    pub fn decode(&self) -> Cow<'a, str> {
        match self.plain() {
            Some(plain) => Cow::Borrowed(plain),
            None => Cow::Owned(unescape(self.inner)),
        }
    }

    /// What it says, sharing `document`, which is what was scanned.
    pub fn text(&self, document: &Bytes) -> Text {
        match self.plain() {
            Some(_) => Text::slice_of(document, self.span.clone()),
            None => Text::from(unescape(self.inner)),
        }
    }

    /// Whether it says `word`.
    pub fn is(&self, word: &str) -> bool {
        match self.plain() {
            Some(plain) => plain == word,
            None => unescape(self.inner) == word,
        }
    }

    /// The part between the quotes, as it was written.
    pub fn written(&self) -> &'a str {
        self.inner
    }

    /// The part between the quotes, when no more of it is escaped than has to be, and each the shortest way: of a text
    /// there is one such form.
    pub fn shortest(&self) -> Option<&'a str> {
        (self.spelling != Spelling::Longer).then_some(self.inner)
    }

    /// The part between the quotes, when nothing in it is escaped: good for matching keys.
    pub fn plain(&self) -> Option<&'a str> {
        (self.spelling == Spelling::Plain).then_some(self.inner)
    }
}

/// `text` as a JSON string.
pub fn quote(text: &str) -> Bytes {
    Bytes::from(serde_json::to_vec(text).expect("a string can be written as JSON"))
}

/// Resolves the escapes of a scanned string.
fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(backslash) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..backslash]);
        let after = &rest[backslash + 1..];
        let (character, length) = match after.as_bytes().first() {
            Some(b'b') => ('\u{8}', 1),
            Some(b'f') => ('\u{c}', 1),
            Some(b'n') => ('\n', 1),
            Some(b'r') => ('\r', 1),
            Some(b't') => ('\t', 1),
            Some(b'u') => code_point(after),
            Some(&other) => (char::from(other), 1),
            None => break,
        };
        out.push(character);
        rest = &after[length..];
    }
    out.push_str(rest);
    out
}

/// The character of `uXXXX` or of a surrogate pair `uXXXX\uXXXX`, and the length of the escape.
fn code_point(escape: &str) -> (char, usize) {
    let unit = |at: usize| {
        let digits = escape.get(at + 1..at + 5)?;
        (escape.as_bytes()[at] == b'u').then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let first = unit(0).unwrap_or(0xfffd);
    let pair = (0xd800..0xdc00).contains(&first)
        && escape.as_bytes().get(5) == Some(&b'\\')
        && escape.len() > 6;
    if pair && let Some(second @ 0xdc00..0xe000) = unit(6) {
        let point = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (
            char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER),
            11,
        );
    }
    (
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
        5,
    )
}

#[cfg(test)]
mod tests {
    use super::super::Scanner;

    fn decoded(json: &str) -> String {
        Scanner::new(json).string().unwrap().decode().into_owned()
    }

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(decoded(r#""a\n\"\\\/\u00e4\ud83d\ude00""#), "a\n\"\\/ä😀");
    }

    #[test]
    fn one_form_is_the_shortest() {
        let shortest = |json| Scanner::new(json).string().unwrap().shortest();
        assert_eq!(shortest(r#""a\n\"\\/ä😀""#), Some(r#"a\n\"\\/ä😀"#));
        assert_eq!(shortest(r#""a/b""#), Some("a/b"));
        for longer in [r#""a\/b""#, r#""\u00e4""#, r#""\u000a""#, r#""\\ \ud83d""#] {
            assert_eq!(shortest(longer), None, "{longer}");
        }
    }

    #[test]
    fn a_lone_surrogate_is_replaced() {
        assert_eq!(decoded(r#""\ud83d!""#), "\u{fffd}!");
        assert_eq!(decoded(r#""\ud83d\u0041""#), "\u{fffd}A");
        assert_eq!(decoded(r#""\ude00\ud83d""#), "\u{fffd}\u{fffd}");
    }
}
