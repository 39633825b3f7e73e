//! What an answer is found by.

use std::fmt;
use std::hash::Hasher;

use bytes::Bytes;
use llm::chat::{ChatRequest, Protocol};
use llm::dialects::{Beside, Repeatable, set_aside, write_body_identity};
use llm::embeddings::EmbeddingsRequest;
use llm::error::ApiError;
use llm::rerank::RerankRequest;
use rustc_hash::FxHasher;
use shared::policies::CacheScope;

use super::regards::Regards;
use crate::auth::Caller;

/// 128 bits of the BLAKE3 of everything that decides an answer, and of whose it is.
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

    /// What an answer is kept under that has no key yet: no question's own is like it.
    pub(super) fn in_place_of_one(Mark(mark): Mark) -> Self {
        // Its last bits are taken for a hash of it.
        let spread = mark.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
        Self(u128::from(u64::MAX) << 64 | u128::from(spread))
    }

    fn of(identity: &[u8]) -> Self {
        let digest = digest(identity);
        Self(u128::from_be_bytes(
            digest[..16].try_into().expect("a digest has 32 bytes"),
        ))
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    blake3::hash(bytes).into()
}

/// A request, as the cache looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub caller: &'a Caller,
    pub request: Request<'a>,
    /// The provider that the client chose.
    pub provider: Option<&'a str>,
    pub strict: bool,
    pub headers: Option<&'a http::HeaderMap>,
    /// The client's own key, where a provider may be called with it.
    pub client_key: Option<&'a str>,
    /// Where budgets end an answer to which the request sets no limit, tokens.
    pub cut_at: Option<u64>,
}

/// A request whose answer can be given again.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    Chat {
        /// With the operator's system prompts that are told in it.
        request: &'a ChatRequest,
        /// What is told after the client's own system prompt.
        after: Option<&'a str>,
    },
    Embeddings(&'a EmbeddingsRequest),
    Rerank(&'a RerankRequest),
}

impl<'a> Request<'a> {
    /// The client's name of the model.
    pub fn model(self) -> Option<&'a str> {
        match self {
            Self::Chat { request, .. } => request.model.as_deref(),
            Self::Embeddings(request) => request.model.as_deref(),
            Self::Rerank(request) => request.model.as_deref(),
        }
    }

    /// Names of members that do not decide the answer.
    pub fn set_aside(self) -> &'static [&'static str] {
        match self {
            Self::Chat { request, .. } => set_aside(request.protocol),
            Self::Embeddings(request) => request.set_aside(),
            Self::Rerank(_) => &[],
        }
    }

    /// In which protocol a chat is asked for.
    pub fn asked_in(self) -> Option<Protocol> {
        match self {
            Self::Chat { request, .. } => Some(request.protocol),
            Self::Embeddings(_) | Self::Rerank(_) => None,
        }
    }

    /// Whether the answer is wanted in pieces.
    pub fn streams(self) -> bool {
        match self {
            Self::Chat { request, .. } => request.stream,
            Self::Embeddings(_) | Self::Rerank(_) => false,
        }
    }

    /// As it came, or as it was changed on the way.
    pub fn body(self) -> &'a Bytes {
        match self {
            Self::Chat { request, .. } => &request.body,
            Self::Embeddings(request) => request.written(),
            Self::Rerank(request) => &request.body,
        }
    }
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

/// What is quickly said of a question: all that have one key have one mark, and hardly any others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(pub u64);

impl Mark {
    /// In bytes of texts. Longer ones take their time anyway.
    const LONGEST: usize = 16 << 10;

    /// `None`: nothing is quickly said of this one.
    pub fn of(request: &ChatRequest) -> Option<Self> {
        let hash = |text: &[u8]| {
            let mut hasher = FxHasher::default();
            hasher.write(text);
            hasher.finish()
        };
        request.mark(Self::LONGEST, hash).map(Self)
    }
}

/// What the keys of a request begin with: whose the answer is, and what it depends on beside the request.
#[derive(Debug)]
pub(super) struct Beginning(Vec<u8>);

/// The keys of a request, as far as it has any.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    pub exact: EntryKey,
    /// What a request of another protocol that says the same has too, where it was asked for.
    pub plain: Option<EntryKey>,
    pub beside: Beside,
}

impl Keys {
    /// What others have in common that the same answer is for: of a reply that the provider keeps, also what it says
    /// again, and its form.
    pub fn awaited(&self, request: Request<'_>) -> EntryKey {
        if !self.beside.kept {
            return self.plain.unwrap_or(self.exact);
        }
        let form = u128::from(request.streams()) << 64;
        EntryKey(self.exact.0 ^ form ^ u128::from(self.beside.echoed))
    }
}

/// What the key of a request is made of, once it is needed.
#[derive(Debug)]
pub(super) struct KeyParts {
    pub before: Vec<u8>,
    pub protocol: Protocol,
    pub body: Bytes,
}

/// The same, kept with an answer.
#[derive(Clone, Debug)]
pub(super) struct KeptParts {
    protocol: Protocol,
    /// The bytes that come before the body.
    before: usize,
    bytes: Box<[u8]>,
}

impl Beginning {
    pub fn of(question: &Question<'_>, regards: &Regards, scope: CacheScope) -> Self {
        // Long texts are not copied: this is enough for nearly all.
        let mut beginning = Vec::with_capacity(256);
        beginning.extend_from_slice(&regards.fingerprint);
        let mut parts = Parts(&mut beginning);
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
        // It is kept for as long as the answer: not the key itself.
        let client_key = question.client_key.map(|key| digest(key.as_bytes()));
        parts.bytes(client_key.as_ref().map(|digest| &digest[..]));
        parts.text(question.request.model());
        parts.text(question.provider);
        parts.text(match question.request {
            Request::Chat { after, .. } => after,
            Request::Embeddings(_) | Request::Rerank(_) => None,
        });
        parts.text(question.strict.then_some("strict"));
        parts.bytes(
            question
                .cut_at
                .map(u64::to_le_bytes)
                .as_ref()
                .map(|at| &at[..]),
        );
        regards.write(question, kind != "key", &mut parts);
        Self(beginning)
    }

    /// `None`: more is asked for than an answer. Where it is not, it is asked whether chats come in `several` protocols.
    pub fn keys(
        self,
        request: Request<'_>,
        several: impl FnOnce(Protocol) -> bool,
    ) -> Option<Keys> {
        match request {
            Request::Chat { request, .. } => self.of_chat(request, several),
            Request::Embeddings(request) => {
                self.of_other(b'e', |identity| request.write_identity(identity, digest))
            }
            Request::Rerank(request) => {
                self.of_other(b'r', |identity| request.write_identity(identity, digest))
            }
        }
    }

    /// Of a request that only others of its kind can be equal to.
    fn of_other(
        mut self,
        kind: u8,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ApiError>,
    ) -> Option<Keys> {
        self.0.push(kind);
        write(&mut self.0).ok()?;
        Some(Keys {
            exact: EntryKey::of(&self.0),
            plain: None,
            beside: Beside::default(),
        })
    }

    fn of_chat(
        mut self,
        request: &ChatRequest,
        several: impl FnOnce(Protocol) -> bool,
    ) -> Option<Keys> {
        let common = self.0.len();
        self.exactly(request);
        let (exact, beside) = finished(&mut self.0, request.protocol, &request.body)?;
        self.0.truncate(common);
        Some(Keys {
            exact,
            plain: several(request.protocol)
                .then(|| self.plain(request))
                .flatten(),
            beside,
        })
    }

    /// For later, if the request has a [`Mark`].
    pub fn parts(mut self, request: &ChatRequest) -> KeyParts {
        self.exactly(request);
        KeyParts {
            before: self.0,
            protocol: request.protocol,
            body: request.body.clone(),
        }
    }

    fn exactly(&mut self, request: &ChatRequest) {
        self.0.push(b'=');
        request.write_head_identity(&mut self.0);
    }

    /// `None`: it says more than others can.
    fn plain(mut self, request: &ChatRequest) -> Option<EntryKey> {
        // It is not asked in a chat.
        if request.protocol == Protocol::OpenAiCompletions {
            return None;
        }
        self.0.push(b'~');
        request
            .write_plain_identity(&mut self.0)
            .then(|| EntryKey::of(&self.0))
    }
}

impl KeyParts {
    /// In bytes: what is kept with an answer for want of its key.
    const FEW: usize = 4 << 10;

    pub fn key(mut self) -> Option<EntryKey> {
        finished(&mut self.before, self.protocol, &self.body).map(|(key, _)| key)
    }

    /// A copy that takes no more than what it says. `None`: it would be large.
    pub fn kept(&self) -> Option<KeptParts> {
        let (before, body) = (&self.before[..], &self.body[..]);
        (before.len() + body.len() <= Self::FEW).then(|| KeptParts {
            protocol: self.protocol,
            before: before.len(),
            bytes: [before, body].concat().into(),
        })
    }
}

impl KeptParts {
    pub fn key(&self) -> Option<EntryKey> {
        let (before, body) = self.bytes.split_at(self.before);
        let mut identity = before.to_vec();
        finished(&mut identity, self.protocol, body).map(|(key, _)| key)
    }

    /// About what they take in memory.
    pub fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// The key of a body, from what comes before it. `None`: more is asked for than an answer.
fn finished(identity: &mut Vec<u8>, protocol: Protocol, body: &[u8]) -> Option<(EntryKey, Beside)> {
    // Hardly anything of it is left out, but long ones become digests.
    identity.reserve(body.len().min(64 << 10) + 1024);
    match write_body_identity(protocol, body, identity, digest) {
        Ok(Repeatable::Yes(beside)) => Some((EntryKey::of(identity), beside)),
        Ok(Repeatable::No(_)) | Err(_) => None,
    }
}
