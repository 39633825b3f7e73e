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
    /// As [`Auth::Header`]; keys that begin so as [`Auth::Bearer`].
    HeaderOrBearer {
        header: &'static str,
        bearer_prefix: &'static str,
    },
}

impl Auth {
    /// The header that a key goes into, most keys where there are two kinds.
    pub fn header_name(self) -> Option<HeaderName> {
        match self {
            Self::None => None,
            Self::Bearer => Some(AUTHORIZATION),
            Self::Header(name) | Self::HeaderOrBearer { header: name, .. } => {
                Some(HeaderName::from_static(name))
            }
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
            Self::HeaderOrBearer {
                header,
                bearer_prefix,
            } => {
                return if key.starts_with(bearer_prefix) {
                    Self::Bearer.header(key)
                } else {
                    Self::Header(header).header(key)
                };
            }
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
    fn a_token_goes_another_way_than_a_key() {
        let auth = Auth::HeaderOrBearer {
            header: "x-key",
            bearer_prefix: "token-",
        };
        let name = |key| auth.header(key).unwrap().unwrap().0;
        assert_eq!(name("key-1"), "x-key");
        assert_eq!(name("token-1"), "authorization");
    }

    #[test]
    fn a_key_with_a_line_break_is_refused() {
        assert!(Auth::Header("api-key").header("a\nb").is_err());
    }
}
