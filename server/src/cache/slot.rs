//! The place of an answer that is on its way.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::Utc;
use llm::chat::{Collector, Protocol, StreamEvent};
use llm::dialects::Beside;
use llm::pricing::Price;
use llm::text::Text;

use super::entry::{Draft, Origin, Own, Owner};
use super::flights::Flight;
use super::kept::Kept;
use super::key::{KeyParts, Keys, Mark};
use super::response::{Repeatable, Response, citation_bytes};

/// The place of an answer that is on its way. Dropped before it is complete, it stays empty.
#[derive(Debug)]
pub struct Slot(pub(super) Box<Place>);

/// What is known of the place. It is handed on several times: that is why it is in a box.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) kept: Arc<Kept>,
    /// Since when the owner's names are the owner's.
    pub(super) since: Instant,
    pub(super) found_by: FoundBy,
    pub(super) mark: Option<Mark>,
    pub(super) owner: Owner,
    /// The protocol of a chat.
    pub(super) asked_in: Option<Protocol>,
    /// What of the request does not decide the answer.
    pub(super) set_aside: &'static [&'static str],
    pub(super) ttl: Duration,
    pub(super) max_bytes: u64,
    pub(super) flight: Option<Flight>,
    pub(super) origin: Origin,
    /// The answer comes in the protocol that was asked in.
    pub(super) in_its_own: bool,
    pub(super) price: Option<Price>,
    pub(super) coming: Coming,
}

/// What the answer will be found by.
#[derive(Debug)]
pub(super) enum FoundBy {
    Keys(Keys),
    /// Nothing of this mark was there, so that no key was needed.
    Later(KeyParts),
}

/// A stream, as far as it has come.
#[derive(Debug)]
pub(super) enum Coming {
    Collected {
        collector: Collector,
        bytes: u64,
        /// As they came, where they are in the client's own protocol.
        frames: Frames,
        /// It has said what only they tell.
        untold: bool,
    },
    /// It is too large to be kept.
    TooLarge,
}

impl Default for Coming {
    fn default() -> Self {
        Self::Collected {
            collector: Collector::new(),
            bytes: 0,
            frames: Frames::default(),
            untold: false,
        }
    }
}

/// The frames of a stream in the client's own protocol, as far as it has come.
#[derive(Debug, Default)]
pub(super) enum Frames {
    #[default]
    None,
    All(Vec<u8>),
    TooMany,
}

/// So many bytes of frames are kept of a stream that has said nothing yet for which they are needed. Most never do, and
/// each token has some 200 bytes around it.
const UNTIL_NEEDED: u64 = 64 << 10;

impl Frames {
    fn push(&mut self, frame: &[u8], max_bytes: u64) {
        if let Self::None = self {
            *self = Self::All(Vec::new());
        }
        if let Self::All(bytes) = self {
            bytes.extend_from_slice(frame);
            if bytes.len() as u64 > max_bytes {
                *self = Self::TooMany;
            }
        }
    }
}

impl Slot {
    /// The protocol of a chat.
    pub fn asked_in(&self) -> Option<Protocol> {
        self.0.asked_in
    }

    /// Who gives the answer, what its tokens cost, and whether it comes in the protocol that was asked in.
    pub fn answered_by(&mut self, mut origin: Origin, price: Option<Price>, in_its_own: bool) {
        // Others may have said it, or not.
        let decides = |name: &Cow<'_, str>| !self.0.set_aside.contains(&&**name);
        origin.losses.dropped.retain(decides);
        self.0.origin = origin;
        self.0.in_its_own = in_its_own;
        self.0.price = price;
    }

    /// Whatever comes is not to be given again: it was made to go wrong.
    pub fn spoil(&mut self) {
        self.0.max_bytes = 0;
    }

    /// Keeps an answer that came in one piece.
    pub fn whole(self, response: &impl Repeatable) {
        self.keep(response, Frames::None);
    }

    /// More of an answer that is streamed, before any rule changes it: a frame and what it says. Without one, it was in
    /// another protocol than the client's.
    pub fn push(&mut self, frame: Option<&[u8]>, events: &[StreamEvent]) {
        let is_kept = self.beside().kept;
        let Coming::Collected {
            collector,
            bytes,
            frames,
            untold,
        } = &mut self.0.coming
        else {
            return;
        };
        *untold |= is_kept || events.contains(&StreamEvent::Untold);
        if let Some(frame) = frame {
            let most = match untold {
                true => self.0.max_bytes,
                false => self.0.max_bytes.min(UNTIL_NEEDED),
            };
            frames.push(frame, most);
        }
        for event in events {
            *bytes += match event {
                StreamEvent::BlockDelta { text, .. } => text.len() as u64,
                StreamEvent::Logprobs { tokens, .. } => 96 * tokens.len() as u64,
                StreamEvent::BlockStarted { .. } => 256,
                StreamEvent::Cited { citation, .. } => citation_bytes(citation) as u64,
                StreamEvent::Sealed { seal, .. } => seal.data.len() as u64,
                _ => 0,
            };
            collector.push(event);
        }
        if *bytes > self.0.max_bytes {
            self.0.coming = Coming::TooLarge;
        }
    }

    /// The stream has come to its proper end.
    pub fn complete(mut self) {
        match mem::replace(&mut self.0.coming, Coming::TooLarge) {
            Coming::Collected {
                collector, frames, ..
            } => self.keep(&collector.finish(), frames),
            Coming::TooLarge => self.failed(),
        }
    }

    /// There will be no answer: others that wait for it ask for themselves.
    pub fn failed(mut self) {
        if let Some(flight) = self.0.flight.take() {
            flight.failed();
        }
    }

    fn keep(mut self, response: &impl Repeatable, frames: Frames) {
        if !response.is_whole() || response.bytes() > self.0.max_bytes {
            return self.failed();
        }
        let kept = response.kept();
        let (own, bytes) = match self.own(&kept, frames) {
            Ok(None) => (None, response.bytes()),
            Ok(Some(own)) => {
                let bytes = response.bytes() + own.bytes();
                (Some(own), bytes)
            }
            Err(Unfit) => return self.failed(),
        };
        let place = &*self.0;
        if bytes > place.max_bytes || place.kept.is_retired(&place.owner, place.since) {
            return self.failed();
        }
        let mut origin = mem::take(&mut self.0.origin);
        if let (Some(usage), Some(price)) = (response.usage(), &self.0.price) {
            origin.cost_nanos = Some(price.cost(&usage));
        }
        let echoed = self.beside().echoed;
        let place = *self.0;
        let draft = Draft {
            asked_in: place.asked_in,
            response: kept,
            echoed,
            own,
            origin,
            owner: place.owner,
            stored_at: Utc::now(),
            ttl: place.ttl,
            bytes,
            mark: place.mark,
        };
        match place.found_by {
            FoundBy::Keys(keys) => {
                let entry = place.kept.keep(draft, keys);
                if let Some(flight) = place.flight {
                    flight.landed(entry);
                }
            }
            FoundBy::Later(parts) => place.kept.keep_draft(draft, parts),
        }
    }

    /// How it is to be given again, if only as it came.
    fn own(&self, response: &Response, frames: Frames) -> Result<Option<Own>, Unfit> {
        let Response::Chat(chat) = response else {
            return Ok(None);
        };
        if !chat.untold && !self.beside().kept {
            return Ok(None);
        }
        let raw = chat.raw.as_ref();
        if raw.is_some_and(|raw| Some(raw.protocol) == self.0.asked_in) {
            return Ok(Some(Own::Whole));
        }
        match frames {
            // The upstream gave it in the other form: there are no bytes for its first client's.
            Frames::None if self.0.in_its_own => Err(Unfit),
            // Its first client got it in another protocol too.
            Frames::None => Ok(None),
            Frames::All(bytes) => {
                // No more than they take, for so much is counted.
                let bytes = Bytes::from(bytes.into_boxed_slice());
                let text = Text::from_utf8(bytes).map_err(|_| Unfit)?;
                Ok(Some(Own::Stream(text)))
            }
            Frames::TooMany => Err(Unfit),
        }
    }

    fn beside(&self) -> Beside {
        match &self.0.found_by {
            FoundBy::Keys(keys) => keys.beside,
            // What has a mark has nothing beside it.
            FoundBy::Later(_) => Beside::default(),
        }
    }
}

/// It cannot be given again as it came.
struct Unfit;
