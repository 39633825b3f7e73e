//! An answer that is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use llm::chat::{Losses, Protocol};
use llm::text::Text;
use serde::{Deserialize, Serialize};
use shared::CostNanos;
use shared::policies::CacheEntry;

use super::key::{EntryKey, KeptParts, Keys, Mark, Request};
use super::marks::Claim;
use super::response::Response;
use crate::store::StoredAnswer;

/// An answer, and where it came from.
#[derive(Debug)]
pub struct Entry {
    pub key: EntryKey,
    /// What clients of other protocols find it by.
    pub(super) plain: Option<EntryKey>,
    /// The protocol in which a chat was asked for.
    pub(super) asked_in: Option<Protocol>,
    pub response: Response,
    /// As [`Beside`](llm::dialects::Beside) has it.
    pub(super) echoed: u64,
    pub(super) own: Option<Own>,
    pub origin: Origin,
    pub owner: Owner,
    pub stored_at: DateTime<Utc>,
    pub(super) ttl: Duration,
    /// About what it takes in memory.
    pub(super) bytes: u64,
    pub(super) hits: AtomicU64,
    pub(super) mark: Option<Mark>,
    /// For as long as it is kept, there is its mark.
    pub(super) claim: Option<Claim>,
    /// What its key is made of, while nobody has asked for an answer that might be this one: until then it has another
    /// in its place.
    pub(super) keyless: Option<KeptParts>,
}

/// Only the upstream's own bytes tell all of an answer: it is given again only as it came, in its own protocol.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(super) enum Own {
    Whole,
    /// With the frames of the stream.
    Stream(Text),
}

/// An entry that has no key yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub asked_in: Option<Protocol>,
    pub response: Response,
    pub echoed: u64,
    pub own: Option<Own>,
    pub origin: Origin,
    pub owner: Owner,
    pub stored_at: DateTime<Utc>,
    pub ttl: Duration,
    pub bytes: u64,
    pub mark: Option<Mark>,
}

impl Draft {
    /// Whether clients of other protocols can be given all of it.
    pub fn is_common(&self) -> bool {
        let untold = matches!(&self.response, Response::Chat(response) if response.untold);
        self.own.is_none() && !untold
    }

    pub fn with(self, key: EntryKey, plain: Option<EntryKey>, claim: Option<Claim>) -> Entry {
        Entry {
            key,
            plain,
            asked_in: self.asked_in,
            response: self.response,
            echoed: self.echoed,
            own: self.own,
            origin: self.origin,
            owner: self.owner,
            stored_at: self.stored_at,
            ttl: self.ttl,
            bytes: self.bytes,
            hits: AtomicU64::new(0),
            mark: self.mark,
            claim,
            keyless: None,
        }
    }

    /// What gets its key when that is needed.
    pub fn keyless(self, mark: Mark, claim: Claim, parts: KeptParts) -> Entry {
        let key = EntryKey::in_place_of_one(mark);
        let bytes = self.bytes + parts.bytes();
        Entry {
            bytes,
            keyless: Some(parts),
            ..self.with(key, None, Some(claim))
        }
    }
}

/// Who had answered, and at what cost.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
pub struct Origin {
    pub provider: Arc<str>,
    /// The upstream's name of the model.
    pub model: Arc<str>,
    /// Of the request, what that provider was not told.
    pub losses: Losses,
    pub cost_nanos: Option<i64>,
}

/// Who asked for it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
pub struct Owner {
    /// The model's name as the client wrote it.
    pub model: Arc<str>,
    /// The configured name, where that is another.
    pub known_as: Option<Arc<str>>,
    /// `None`: anybody.
    pub key: Option<Arc<str>>,
    pub project: Option<Arc<str>>,
}

/// What of an entry is written down, as JSON.
#[derive(Deserialize, Serialize)]
struct Written<R> {
    response: R,
    plain: Option<String>,
    #[serde(default)]
    asked_in: Option<Protocol>,
    echoed: u64,
    #[serde(default)]
    own: Option<Own>,
    origin: Origin,
    owner: Owner,
    ttl_seconds: u64,
    mark: Option<u64>,
}

impl Own {
    /// About what it takes in memory.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Whole => 0,
            Self::Stream(frames) => frames.len() as u64,
        }
    }
}

impl Entry {
    /// As it is stored. `None`: it cannot be written.
    pub(super) fn stored(&self) -> Option<StoredAnswer> {
        let written = Written {
            response: &self.response,
            plain: self.plain.map(|key| key.to_string()),
            asked_in: self.asked_in,
            echoed: self.echoed,
            own: self.own.clone(),
            origin: self.origin.clone(),
            owner: self.owner.clone(),
            ttl_seconds: self.ttl.as_secs(),
            mark: self.mark.map(|Mark(mark)| mark),
        };
        Some(StoredAnswer {
            key: self.key.0.to_be_bytes(),
            stored_at_us: self.stored_at.timestamp_micros(),
            expires_at_us: self.expires_at().timestamp_micros(),
            bytes: self.bytes,
            entry: serde_json::to_string(&written).ok()?,
        })
    }

    /// What was stored. `None`: another version of the gateway wrote it otherwise.
    pub(super) fn of_stored(stored: &StoredAnswer) -> Option<Self> {
        let written: Written<Response> = serde_json::from_str(&stored.entry).ok()?;
        // Without the protocol, its own clients would find it by what is for the others.
        let plain = written
            .plain
            .as_deref()
            .filter(|_| written.asked_in.is_some());
        Some(Self {
            key: EntryKey(u128::from_be_bytes(stored.key)),
            plain: plain.and_then(EntryKey::parse),
            asked_in: written.asked_in,
            bytes: written.response.bytes() + written.own.as_ref().map_or(0, Own::bytes),
            response: written.response,
            echoed: written.echoed,
            own: written.own,
            origin: written.origin,
            owner: written.owner,
            stored_at: DateTime::from_timestamp_micros(stored.stored_at_us)?,
            ttl: Duration::from_secs(written.ttl_seconds),
            hits: AtomicU64::new(0),
            mark: written.mark.map(Mark),
            claim: None,
            keyless: None,
        })
    }

    /// The same with its key. `None`: it has it, or gets none.
    pub(super) fn keyed(&self) -> Option<Self> {
        let parts = self.keyless.as_ref()?;
        Some(Self {
            key: parts.key()?,
            plain: self.plain,
            asked_in: self.asked_in,
            response: self.response.clone(),
            echoed: self.echoed,
            own: self.own.clone(),
            origin: self.origin.clone(),
            owner: self.owner.clone(),
            stored_at: self.stored_at,
            ttl: self.ttl,
            bytes: self.bytes.saturating_sub(parts.bytes()),
            hits: AtomicU64::new(self.hits.load(Ordering::Relaxed)),
            mark: self.mark,
            claim: self.claim.as_ref().map(Claim::again),
            keyless: None,
        })
    }

    /// Whether it answers a question that has these keys. Others of its protocol may ask for something else with members
    /// that no other protocol has.
    pub(super) fn answers(&self, request: Request<'_>, keys: &Keys) -> bool {
        let same = self.key == keys.exact;
        match &self.own {
            None => same || self.plain.is_some() && self.asked_in != request.asked_in(),
            Some(own) => {
                let streams = matches!(own, Own::Stream(_));
                same && streams == request.streams() && self.echoed == keys.beside.echoed
            }
        }
    }

    /// The frames of a stream that is given again as it came.
    pub fn frames(&self) -> Option<&Text> {
        match &self.own {
            Some(Own::Stream(frames)) => Some(frames),
            Some(Own::Whole) | None => None,
        }
    }

    /// How old it is.
    pub fn age(&self, at: DateTime<Utc>) -> Duration {
        (at - self.stored_at).to_std().unwrap_or_default()
    }

    pub fn expires_at(&self) -> DateTime<Utc> {
        self.stored_at + TimeDelta::from_std(self.ttl).unwrap_or_default()
    }

    /// What the answer took, input and output.
    pub fn tokens(&self) -> u64 {
        let usage = self.response.usage().unwrap_or_default();
        usage.input_tokens.saturating_add(usage.output_tokens)
    }

    /// As operators see it.
    pub fn shown(&self) -> CacheEntry {
        CacheEntry {
            id: self.key.to_string(),
            model: self.owner.model.to_string(),
            key: self.owner.key.as_deref().map(str::to_owned),
            project: self.owner.project.as_deref().map(str::to_owned),
            stored_at: self.stored_at,
            expires_at: self.expires_at(),
            bytes: self.bytes,
            hits: self.hits.load(Ordering::Relaxed),
            tokens: self.tokens(),
            cost_nanos: self.origin.cost_nanos.map(CostNanos),
        }
    }
}
