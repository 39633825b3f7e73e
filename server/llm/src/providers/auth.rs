//! How a key is shown to an upstream.

use http::header::{AUTHORIZATION, HeaderName, HeaderValue, InvalidHeaderValue};

/// Where the key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// No key is needed, nor sent.
    None,
    /// `Authorization: Bearer …`
    Bearer,
    /// A header of the provider's own, in lower case, which holds the bare key.
    Header(&'static str),
}

impl Auth {
    /// The header that a key goes into.
    pub fn header_name(self) -> Option<HeaderName> {
        match self {
            Self::None => None,
            Self::Bearer => Some(AUTHORIZATION),
            Self::Header(name) => Some(HeaderName::from_static(name)),
        }
    }

    /// The header that carries `key`, marked as sensitive.
    ///
    /// # Errors
    /// The key holds bytes that no header may.
    pub fn header(
        self,
        key: &str,
    ) -> Result<Option<(HeaderName, HeaderValue)>, InvalidHeaderValue> {
        let (name, value) = match self {
            Self::None => return Ok(None),
            Self::Bearer => (AUTHORIZATION, format!("Bearer {key}")),
            Self::Header(name) => (HeaderName::from_static(name), key.to_owned()),
        };
        let mut value = HeaderValue::try_from(value)?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_key_is_sensitive() {
        let (name, value) = Auth::Bearer.header("sk-1").unwrap().unwrap();
        assert_eq!(name, "authorization");
        assert_eq!(value, "Bearer sk-1");
        assert!(value.is_sensitive());
    }

    #[test]
    fn a_key_with_a_line_break_is_refused() {
        assert!(Auth::Header("api-key").header("a\nb").is_err());
    }
}
