//! What a provider wants back unread: signatures of thoughts, and encrypted ones.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::Protocol;
use crate::text::Text;

/// Proof of earlier thoughts, or the thoughts themselves, that only the protocol that made it can read.
///
/// A client keeps it as an opaque text and sends it back in the next turn. A client of another protocol is
/// given [`Seal::token`], which remembers whose it is, so that no other upstream is ever sent it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
pub struct Seal {
    pub protocol: Protocol,
    /// As the upstream wrote it.
    pub data: Text,
    /// The thoughts are inside (redacted or encrypted), not only signed.
    pub encrypted: bool,
    /// The upstream's id of the reasoning item, where it has one (OpenAI Responses).
    pub id: Text,
}

const MARK: &str = "aigw1";

impl Seal {
    /// What every token begins with: the mark and a space, in base64.
    pub(crate) const TOKEN_START: &'static str = "YWlndzEg";

    /// As a client of another protocol keeps it: base64, which any field takes.
    pub fn token(&self) -> String {
        let kind = if self.encrypted { 'e' } else { 's' };
        let plain = format!(
            "{MARK} {} {kind} {} {}",
            self.protocol.as_str(),
            self.id,
            self.data
        );
        STANDARD.encode(plain)
    }

    /// Reads a token of ours.
    pub fn from_token(token: &str) -> Option<Self> {
        let plain = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        let mut words = plain.splitn(5, ' ');
        if words.next() != Some(MARK) {
            return None;
        }
        let protocol = Protocol::from_name(words.next()?)?;
        let encrypted = words.next()? == "e";
        let id = Text::from(words.next()?);
        let data = Text::from(words.next()?);
        Some(Self {
            protocol,
            data,
            encrypted,
            id,
        })
    }

    /// As the end of an id, with the thought that it belongs to, for clients that send ids back and nothing else.
    /// `None`: it would be longer than an id can be.
    pub(crate) fn id_with(&self, thought: &str) -> Option<String> {
        /// Ids come several times in a stream, and are keys of clients' tables: real ones have 50 characters, and no
        /// client is known to count. A page of thoughts fits.
        const LONGEST: usize = 16 * 1024;
        if (self.data.len() + thought.len()) / 3 * 4 > LONGEST {
            return None;
        }
        let kind = if self.encrypted { 'e' } else { 's' };
        let plain = format!(
            "{} {kind} {} {} {}{thought}",
            self.protocol.as_str(),
            self.id,
            self.data.len(),
            self.data,
        );
        Some(URL_SAFE_NO_PAD.encode(plain))
    }

    /// Reads the end of such an id: the seal, and the thought.
    pub(crate) fn of_id(id: &str) -> Option<(Self, Text)> {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        let mut words = plain.splitn(5, ' ');
        let protocol = Protocol::from_name(words.next()?)?;
        let encrypted = words.next()? == "e";
        let id = Text::from(words.next()?);
        let length = words.next()?.parse().ok()?;
        let (data, thought) = words.next()?.split_at_checked(length)?;
        let data = Text::from(data);
        let seal = Self {
            protocol,
            data,
            encrypted,
            id,
        };
        Some((seal, Text::from(thought)))
    }

    /// As a client that speaks `dialect` keeps it.
    pub fn for_client(&self, dialect: Protocol) -> Text {
        if self.protocol == dialect {
            self.data.clone()
        } else {
            Text::from(self.token())
        }
    }

    /// Reads what a client that speaks `dialect` sent back in its protocol's own field.
    pub fn of_client(dialect: Protocol, data: Text, encrypted: bool) -> Self {
        Self::from_token(&data).unwrap_or(Self {
            protocol: dialect,
            data,
            encrypted,
            id: Text::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back() {
        let seal = Seal {
            protocol: Protocol::Gemini,
            data: Text::from("a b+c/=="),
            encrypted: false,
            id: Text::default(),
        };
        let kept = seal.for_client(Protocol::Anthropic);
        assert_ne!(kept, "a b+c/==");
        assert!(kept.starts_with(Seal::TOKEN_START));
        assert_eq!(Seal::of_client(Protocol::Anthropic, kept, true), seal);
        assert_eq!(seal.for_client(Protocol::Gemini), "a b+c/==");
    }

    #[test]
    fn an_id_comes_back_with_its_thought() {
        let seal = Seal {
            protocol: Protocol::Anthropic,
            data: Text::from("a b+c/=="),
            encrypted: false,
            id: Text::default(),
        };
        let thought = "I think: \"ü\"  1 2 ";
        let id = seal.id_with(thought).unwrap();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        assert!(id.bytes().all(plain), "{id}");
        assert_eq!(Seal::of_id(&id), Some((seal.clone(), Text::from(thought))));
        assert_eq!(seal.id_with(&"x".repeat(20_000)), None);
        for broken in ["", "YQ", &id[..id.len() / 2], &id[1..], "ÄÖ"] {
            assert_eq!(Seal::of_id(broken), None, "{broken}");
        }
    }

    #[test]
    fn what_is_no_token_is_the_protocols_own() {
        let seal = Seal::of_client(Protocol::Anthropic, Text::from("EqQBCg=="), false);
        assert_eq!(seal.protocol, Protocol::Anthropic);
        assert_eq!(seal.data, "EqQBCg==");
    }
}
