//! What a provider wants back unread: signatures of thoughts, and encrypted ones.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Protocol;
use crate::text::Text;

/// Proof of earlier thoughts, or the thoughts themselves, that only the protocol that made it can read.
///
/// A client keeps it as an opaque text and sends it back in the next turn. A client of another protocol is
/// given [`Seal::token`], which remembers whose it is, so that no other upstream is ever sent it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    fn what_is_no_token_is_the_protocols_own() {
        let seal = Seal::of_client(Protocol::Anthropic, Text::from("EqQBCg=="), false);
        assert_eq!(seal.protocol, Protocol::Anthropic);
        assert_eq!(seal.data, "EqQBCg==");
    }
}
