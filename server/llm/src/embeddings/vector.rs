//! One vector, as it is written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::Encoding;
use crate::json::{Json, Scanner, Writer};
use crate::text::Text;

/// A vector as an upstream wrote it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub enum Vector {
    /// An array of numbers.
    Floats(Json),
    /// The numbers as 32-bit little-endian floats, in base64.
    Base64(Text),
}

impl Vector {
    /// Writes it as the client asked for it. What cannot be read as floats stays as it is.
    pub(super) fn write(&self, encoding: Encoding, out: Writer<'_>) {
        match (self, encoding) {
            (Self::Floats(json), Encoding::Float) => out.json(json),
            (Self::Base64(text), Encoding::Base64) => out.string(text),
            (Self::Floats(json), Encoding::Base64) => match packed(json) {
                Some(text) => out.string(&text),
                None => out.json(json),
            },
            (Self::Base64(text), Encoding::Float) => match unpacked(text) {
                Some(floats) => out.array(|items| {
                    for float in floats {
                        // The shortest spelling that reads as the same number; JSON has none for what is none.
                        if float.is_finite() {
                            items.item().plain(float);
                        } else {
                            items.item().plain("null");
                        }
                    }
                }),
                None => out.string(text),
            },
        }
    }

    /// As it was written, without quotes.
    pub(super) fn written(&self) -> &Text {
        match self {
            Self::Floats(json) => json.as_text(),
            Self::Base64(text) => text,
        }
    }

    /// It has numbers, and nothing else in it.
    pub(super) fn is_whole(&self) -> bool {
        let written = self.written().as_bytes();
        match self {
            Self::Floats(_) => {
                written.iter().any(u8::is_ascii_digit) && memchr::memchr(b'n', written).is_none()
            }
            Self::Base64(_) => !written.is_empty(),
        }
    }

    /// The same with bytes of its own.
    pub(super) fn detached(&self) -> Self {
        let own = Text::from(self.written().as_str());
        match self {
            Self::Floats(_) => Self::Floats(Json::of_valid(own)),
            Self::Base64(_) => Self::Base64(own),
        }
    }

    pub(super) fn encoding(&self) -> Encoding {
        match self {
            Self::Floats(_) => Encoding::Float,
            Self::Base64(_) => Encoding::Base64,
        }
    }
}

/// An array of numbers in base64.
fn packed(json: &Json) -> Option<String> {
    let mut scanner = Scanner::new(json.as_str());
    let mut items = scanner.enter_array().ok()?;
    let mut bytes = Vec::with_capacity(json.as_str().len() / 2);
    while scanner.next_item(&mut items).ok()? {
        let span = scanner.skip_value().ok()?;
        let float: f32 = scanner.text()[span].parse().ok()?;
        bytes.extend_from_slice(&float.to_le_bytes());
    }
    Some(STANDARD.encode(bytes))
}

fn unpacked(text: &str) -> Option<Vec<f32>> {
    let bytes = STANDARD.decode(text).ok()?;
    let (floats, rest) = bytes.as_chunks::<4>();
    rest.is_empty()
        .then(|| floats.iter().copied().map(f32::from_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::object;

    fn written(vector: &Vector, encoding: Encoding) -> String {
        let body = object(|body| vector.write(encoding, body.member("v")));
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[test]
    fn floats_and_base64_say_the_same() {
        let floats = Vector::Floats(Json::of_valid(Text::from("[0.25, -1e-3,3]")));
        let packed = Vector::Base64(Text::from("AACAPm8Sg7oAAEBA"));
        assert_eq!(
            written(&floats, Encoding::Float),
            r#"{"v":[0.25, -1e-3,3]}"#
        );
        assert_eq!(
            written(&floats, Encoding::Base64),
            r#"{"v":"AACAPm8Sg7oAAEBA"}"#
        );
        assert_eq!(
            written(&packed, Encoding::Float),
            r#"{"v":[0.25,-0.001,3]}"#
        );
    }

    #[test]
    fn a_vector_is_numbers() {
        let floats = |json| Vector::Floats(Json::of_valid(Text::from(json)));
        assert!(floats("[0]").is_whole() && floats("[1e-3,-2.5]").is_whole());
        for odd in ["[]", "[null]", "[0.5,null]", "[ ]"] {
            assert!(!floats(odd).is_whole(), "{odd}");
        }
        assert!(Vector::Base64(Text::from("AACAPg==")).is_whole());
        assert!(!Vector::Base64(Text::from("")).is_whole());
    }

    #[test]
    fn a_detached_vector_shares_nothing_with_what_was_read() {
        let read = bytes::Bytes::from_static(b"[0.5]");
        let text = Text::slice_of(&read, 0..read.len());
        for vector in [
            Vector::Floats(Json::of_valid(text.clone())),
            Vector::Base64(text),
        ] {
            let detached = vector.detached();
            assert_eq!(detached, vector);
            assert_ne!(detached.written().as_ptr(), read.as_ptr());
        }
    }

    #[test]
    fn what_is_no_vector_stays() {
        let odd = Vector::Base64(Text::from("AAA="));
        assert_eq!(written(&odd, Encoding::Float), r#"{"v":"AAA="}"#);
    }
}
