//! Addresses of pages: a path and what is chosen on it.

use std::fmt;

/// A page's address: `/limits?edit=per-key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Href(String);

impl Href {
    /// The page at a path, which may have a query already.
    pub fn of(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// With one more parameter.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(name);
        self.0.push('=');
        escape(value, &mut self.0);
        self
    }

    /// With one more parameter where there is a value.
    pub fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub fn into_text(self) -> String {
        self.0
    }
}

impl fmt::Display for Href {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Percent-encodes all but the unreserved characters of
/// [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-2.3).
fn escape(value: &str, out: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte as char);
            }
            _ => {
                out.push('%');
                for half in [byte >> 4, byte & 15] {
                    out.push(char::from(b"0123456789ABCDEF"[usize::from(half)]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Href;

    #[test]
    fn names_with_slashes_and_spaces_survive() {
        let href = Href::of("/keys")
            .with("edit", "a/b c&é")
            .with_some("view", None);
        assert_eq!(href.to_string(), "/keys?edit=a%2Fb%20c%26%C3%A9");
        let more = href.with("x", "1");
        assert_eq!(more.to_string(), "/keys?edit=a%2Fb%20c%26%C3%A9&x=1");
    }
}
