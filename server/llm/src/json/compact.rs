//! JSON without the white space that means nothing.

use super::Json;
use crate::text::Text;

impl Json {
    /// The same value without white space between its tokens; a value that has none stays the slice that it is.
    #[must_use]
    pub fn compact(self) -> Self {
        let bytes = self.as_str().as_bytes();
        let Some(first) = next_space(bytes, 0) else {
            return self;
        };
        let mut compact = Vec::with_capacity(bytes.len());
        compact.extend_from_slice(&bytes[..first]);
        let mut at = first;
        while at < bytes.len() {
            if bytes[at].is_ascii_whitespace() {
                at += 1;
                continue;
            }
            let end = next_space(bytes, at).unwrap_or(bytes.len());
            compact.extend_from_slice(&bytes[at..end]);
            at = end;
        }
        let compact = String::from_utf8(compact).expect("only ASCII was taken away");
        Self::of_valid(Text::from(compact))
    }
}

/// The first white space outside of strings; `from` is outside of one.
fn next_space(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let mut string = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if string => at += 1,
            b'"' => string = !string,
            b' ' | b'\n' | b'\r' | b'\t' if !string => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compact(json: &str) -> String {
        let json = Json::parse(Text::from(json)).unwrap();
        json.compact().as_str().to_owned()
    }

    #[test]
    fn white_space_outside_of_strings_goes() {
        assert_eq!(
            compact("{\n \"a b\" : [ 1 , \"c\\\" d\\\\\" ] }"),
            r#"{"a b":[1,"c\" d\\"]}"#
        );
        assert_eq!(compact("\"ä b\""), "\"ä b\"");
        let same = Json::parse(Text::from(r#"{"a":" "}"#)).unwrap();
        let at = same.as_str().as_ptr();
        assert_eq!(same.compact().as_str().as_ptr(), at);
    }
}
