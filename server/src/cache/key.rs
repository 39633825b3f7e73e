//! What an answer is found by.

use std::fmt;

use llm::chat::{ChatRequest, Protocol};
use llm::dialects::Repeatable;
use sha2::{Digest, Sha256};
use shared::policies::CacheScope;

use super::regards::Regards;
use crate::auth::Caller;

/// 128 bits of the SHA-256 of everything that decides an answer, and of whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryKey(pub(super) u128);

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl EntryKey {
    /// As it is displayed.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits
            .then(|| u128::from_str_radix(text, 16).ok())?
            .map(Self)
    }

    fn of(identity: &[u8]) -> Self {
        let digest = digest(identity);
        Self(u128::from_be_bytes(
            digest[..16].try_into().expect("a digest has 32 bytes"),
        ))
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A request, as the cache looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub caller: &'a Caller,
    /// With the operator's system prompts that are told in it.
    pub request: &'a ChatRequest,
    /// What is told after the client's own system prompt.
    pub after: Option<&'a str>,
    /// The provider that the client chose.
    pub provider: Option<&'a str>,
    pub strict: bool,
    pub headers: Option<&'a http::HeaderMap>,
    /// The client's own key, where a provider may be called with it.
    pub client_key: Option<&'a str>,
}

/// Writes parts of an identity, each with its length.
pub(super) struct Parts<'a>(&'a mut Vec<u8>);

impl Parts<'_> {
    pub fn text(&mut self, text: Option<&str>) {
        self.bytes(text.map(str::as_bytes));
    }

    pub fn bytes(&mut self, bytes: Option<&[u8]>) {
        let Some(bytes) = bytes else {
            return self.0.push(0);
        };
        self.0.push(1);
        self.0
            .extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }
}

/// The keys of a request, as far as it has any.
pub(super) struct Keys {
    pub exact: EntryKey,
    /// The upstream's reply says again what does not decide it.
    pub echoes: bool,
    /// What all that is no protocol's own begins with.
    common: Vec<u8>,
}

impl Keys {
    /// `None`: more is asked for than an answer.
    pub fn of(question: &Question<'_>, regards: &Regards, scope: CacheScope) -> Option<Self> {
        // Long texts are not copied: this is enough for nearly all.
        let mut identity = Vec::with_capacity(1024);
        identity.extend_from_slice(&regards.fingerprint);
        let mut parts = Parts(&mut identity);
        let caller = question.caller;
        let key = || caller.key_name().map(|name| &**name);
        let project = || caller.project().map(|name| &**name);
        let (kind, owner) = match scope {
            CacheScope::Key => ("key", key()),
            CacheScope::Project if project().is_some() => ("project", project()),
            CacheScope::Project => ("key", key()),
            CacheScope::Shared => ("shared", None),
        };
        parts.text(Some(kind));
        parts.text(owner);
        parts.text(question.client_key);
        parts.text(question.request.model.as_deref());
        parts.text(question.provider);
        parts.text(question.after);
        parts.text(question.strict.then_some("strict"));
        regards.write(question, kind != "key", &mut parts);
        let common = identity.len();
        identity.push(b'=');
        let request = question.request;
        let Ok(Repeatable::Yes { echoes }) = request.write_identity(&mut identity, digest) else {
            return None;
        };
        let exact = EntryKey::of(&identity);
        identity.truncate(common);
        Some(Self {
            exact,
            echoes,
            common: identity,
        })
    }

    /// What a request of another protocol that says the same has too. `None`: it says more than others can.
    pub fn plain(&self, request: &ChatRequest) -> Option<EntryKey> {
        // It is not asked in a chat.
        if request.protocol == Protocol::OpenAiCompletions {
            return None;
        }
        let mut identity = self.common.clone();
        identity.push(b'~');
        request
            .write_plain_identity(&mut identity)
            .then(|| EntryKey::of(&identity))
    }
}
