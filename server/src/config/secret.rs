//! Text that must not be shown.

use std::fmt;

use serde::{Serialize, Serializer};

use super::reading::{Form, Scalar, quoted};

/// What stands where a secret is.
pub const MASK: &str = "********";

/// A key, a token or a password: masked wherever it is printed, logged or serialised.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends or compares it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

impl Scalar for Secret {
    const EXPECTED: &'static str = "text";
    const FORM: Form = Form::Text;

    /// Line breaks at the end, which files of secrets tend to have, do not count.
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text == MASK {
            return Err(
                "this is the mask of a secret, not the secret; write \"${VARIABLE}\"".to_owned(),
            );
        }
        if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(
                "holds characters that cannot be sent in a header; expected printable ASCII"
                    .to_owned(),
            );
        }
        if text.trim() != text {
            return Err("begins or ends with a space".to_owned());
        }
        Ok(Self::new(text))
    }

    fn literal(&self) -> String {
        quoted(MASK)
    }
}
