//! A pull scanner: walks a document once, checks all of it, builds nothing.

use std::ops::Range;

use wide::u8x16;

use super::string::{JsonStr, Spelling};

/// Byte offsets into the scanned document.
pub type Span = Range<usize>;

/// The deepest nesting that is read, as in `serde_json`.
const MAX_DEPTH: u32 = 128;

/// Where a document stops being JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {at}")]
pub struct JsonError {
    /// Offset in bytes.
    pub at: usize,
    pub problem: &'static str,
}

/// What a value is, told by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

impl Kind {
    /// With its article, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "a boolean",
            Self::Null => "null",
        }
    }
}

/// The position in a document (RFC 8259). Lone surrogates in `\u` escapes are let through, as most
/// parsers do.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: u32,
}

/// An object whose members are being read, see [`Scanner::next_member`].
#[derive(Debug)]
pub struct Members {
    first: bool,
}

/// An array whose items are being read, see [`Scanner::next_item`].
#[derive(Debug)]
pub struct Items {
    first: bool,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth: 0,
        }
    }

    /// # Errors
    /// The document is not UTF-8.
    pub fn from_utf8(bytes: &'a [u8]) -> Result<Self, JsonError> {
        match simdutf8::compat::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(text)),
            Err(error) => Err(JsonError {
                at: error.valid_up_to(),
                problem: "invalid UTF-8",
            }),
        }
    }

    /// The whole document.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Where the scanner stands.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Goes back to where a value began.
    pub fn rewind(&mut self, at: usize) {
        debug_assert!(at <= self.at || at <= self.bytes.len());
        self.at = at;
    }

    /// What comes next.
    ///
    /// # Errors
    /// Nothing that could be a value.
    pub fn peek(&mut self) -> Result<Kind, JsonError> {
        self.skip_space();
        match self.byte() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("unexpected end")),
        }
    }

    /// Enters an object.
    ///
    /// # Errors
    /// Something else comes next, or it is nested too deep.
    pub fn enter_object(&mut self) -> Result<Members, JsonError> {
        self.skip_space();
        self.expect(b'{', "expected an object")?;
        self.descend()?;
        Ok(Members { first: true })
    }

    /// The next member's key, after which its value is to be read; or none, and the object is left.
    ///
    /// # Errors
    /// Not JSON.
    pub fn next_member(&mut self, members: &mut Members) -> Result<Option<JsonStr<'a>>, JsonError> {
        self.skip_space();
        if self.byte() == Some(b'}') {
            self.at += 1;
            self.depth -= 1;
            return Ok(None);
        }
        if !std::mem::take(&mut members.first) {
            self.expect(b',', "expected , or }")?;
            self.skip_space();
        }
        self.key().map(Some)
    }

    /// Enters an array.
    ///
    /// # Errors
    /// Something else comes next, or it is nested too deep.
    pub fn enter_array(&mut self) -> Result<Items, JsonError> {
        self.skip_space();
        self.expect(b'[', "expected an array")?;
        self.descend()?;
        Ok(Items { first: true })
    }

    /// Whether there is another item, which is then to be read; else the array is left.
    ///
    /// # Errors
    /// Not JSON.
    pub fn next_item(&mut self, items: &mut Items) -> Result<bool, JsonError> {
        self.skip_space();
        if self.byte() == Some(b']') {
            // `[1,]` does not come here: after a comma a value is demanded.
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        if !std::mem::take(&mut items.first) {
            self.expect(b',', "expected , or ]")?;
            self.skip_space();
        }
        Ok(true)
    }

    /// Reads a string.
    ///
    /// # Errors
    /// Something else comes next.
    pub fn string(&mut self) -> Result<JsonStr<'a>, JsonError> {
        self.skip_space();
        self.expect(b'"', "expected a string")?;
        self.string_inside()
    }

    /// Reads a string whose opening quote is passed.
    #[inline]
    fn string_inside(&mut self) -> Result<JsonStr<'a>, JsonError> {
        let start = self.at;
        let spelling = self.pass_string()?;
        let inner = start..self.at - 1;
        Ok(JsonStr::new(&self.text[inner.clone()], inner, spelling))
    }

    /// Passes over a string whose opening quote is passed, and says how it is spelled.
    #[inline]
    fn pass_string(&mut self) -> Result<Spelling, JsonError> {
        let mut spelling = Spelling::Plain;
        loop {
            self.at += plain_length(&self.bytes[self.at..]);
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(spelling);
                }
                Some(b'\\') => {
                    spelling = spelling.max(self.escape()?);
                }
                Some(_) => return Err(self.error("control character in a string")),
                None => return Err(self.error("unexpected end of a string")),
            }
        }
    }

    /// Passes over any value; whether it says something: `null`, `false`, `""`, `[]` and `{}` do not.
    ///
    /// # Errors
    /// Not JSON.
    pub fn skip_saying(&mut self) -> Result<bool, JsonError> {
        let span = self.skip_value()?;
        Ok(!is_nothing(&self.text()[span]))
    }

    /// Passes over any value and says where it stands.
    ///
    /// # Errors
    /// Not JSON.
    pub fn skip_value(&mut self) -> Result<Span, JsonError> {
        self.skip_space();
        let start = self.at;
        let outside = self.depth;
        // One bit a level: is it an object?
        let mut objects: u128 = 0;
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    self.pass_string()?;
                }
                Some(open @ (b'{' | b'[')) => {
                    self.at += 1;
                    self.descend()?;
                    let object = open == b'{';
                    objects = objects << 1 | u128::from(object);
                    self.skip_space();
                    match self.byte() {
                        Some(b'}') if object => {}
                        Some(b']') if !object => {}
                        _ => {
                            if object {
                                self.pass_key()?;
                            }
                            continue;
                        }
                    }
                }
                _ => self.scalar()?,
            }
            // A value ended, or an empty container is about to.
            loop {
                if self.depth == outside {
                    return Ok(start..self.at);
                }
                self.skip_space();
                let object = objects & 1 == 1;
                match self.byte() {
                    Some(b',') => {
                        self.at += 1;
                        self.skip_space();
                        if object {
                            self.pass_key()?;
                        }
                        break;
                    }
                    Some(b'}') if object => self.at += 1,
                    Some(b']') if !object => self.at += 1,
                    _ => return Err(self.error("expected , or the end of the container")),
                }
                self.depth -= 1;
                objects >>= 1;
            }
        }
    }

    /// Nothing but white space may be left.
    ///
    /// # Errors
    /// There is more.
    pub fn end(&mut self) -> Result<(), JsonError> {
        self.skip_space();
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(self.error("trailing characters"))
        }
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, problem: &'static str) -> Result<(), JsonError> {
        if self.byte() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.error(problem))
        }
    }

    fn descend(&mut self) -> Result<(), JsonError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("nested too deep"));
        }
        Ok(())
    }

    #[inline]
    fn key(&mut self) -> Result<JsonStr<'a>, JsonError> {
        self.expect(b'"', "expected a key")?;
        let key = self.string_inside()?;
        self.skip_space();
        self.expect(b':', "expected :")?;
        Ok(key)
    }

    /// Passes over a key and all up to its value.
    fn pass_key(&mut self) -> Result<(), JsonError> {
        self.expect(b'"', "expected a key")?;
        self.pass_string()?;
        self.skip_space();
        self.expect(b':', "expected :")?;
        self.skip_space();
        Ok(())
    }

    fn escape(&mut self) -> Result<Spelling, JsonError> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(Spelling::Shortest)
            }
            Some(b'/') => {
                self.at += 2;
                Ok(Spelling::Longer)
            }
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.error("invalid escape"));
                }
                self.at += 6;
                Ok(Spelling::Longer)
            }
            _ => Err(self.error("invalid escape")),
        }
    }

    fn scalar(&mut self) -> Result<(), JsonError> {
        match self.byte() {
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("unexpected end")),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.error("expected a value"))
        }
    }

    fn number(&mut self) -> Result<(), JsonError> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        match self.byte() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.error("invalid number")),
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.error("invalid number"));
        }
        Ok(())
    }

    fn error(&self, problem: &'static str) -> JsonError {
        JsonError {
            at: self.at,
            problem,
        }
    }
}

/// How many bytes of a string come before the next quote, backslash or control character.
///
/// Written for vectors, not left to the compiler: guided by a profile, it makes small what long texts run through.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const QUOTE: u8x16 = u8x16::new([b'"'; 16]);
    const BACKSLASH: u8x16 = u8x16::new([b'\\'; 16]);
    const LAST_CONTROL: u8x16 = u8x16::new([0x1f; 16]);
    let mut at = 0;
    while let Some(block) = bytes[at..].first_chunk() {
        let block = u8x16::new(*block);
        let control = block.min(LAST_CONTROL).simd_eq(block);
        let ends = block.simd_eq(QUOTE) | block.simd_eq(BACKSLASH) | control;
        let ends = ends.to_bitmask();
        if ends != 0 {
            return at + ends.trailing_zeros() as usize;
        }
        at += 16;
    }
    let rest = &bytes[at..];
    let end = rest.iter().position(|byte| !is_plain(*byte));
    at + end.unwrap_or(rest.len())
}

fn is_plain(byte: u8) -> bool {
    byte != b'"' && byte != b'\\' && byte >= 0x20
}

/// Whether a value says nothing.
pub(super) fn is_nothing(json: &str) -> bool {
    matches!(json, "null" | "false" | "\"\"" | "[]" | "{}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_where_it_ends_whatever_its_length() {
        for length in (0..100).chain(4090..4200) {
            for (stop, expected) in [
                ("\"", Ok(())),
                ("\\n\"", Ok(())),
                ("\n\"", Err(())),
                ("", Err(())),
            ] {
                let document = format!("\"{}{stop}", "ä".repeat(length));
                let mut scanner = Scanner::new(&document);
                let skipped = scanner.skip_value();
                let place = 1 + 2 * length;
                match expected {
                    Ok(()) => assert_eq!(skipped, Ok(0..document.len())),
                    Err(()) => assert_eq!(skipped.unwrap_err().at, place, "{document}"),
                }
            }
        }
    }
}
