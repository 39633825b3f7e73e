//! Answers given before. Nothing is kept yet: every look-up is a bypass, from the place where the
//! cache will be asked.

mod check;

pub use check::check;

use http::HeaderMap;
use llm::chat::{ChatRequest, ChatResponse, StreamEvent};

use crate::auth::Caller;
use crate::recording::record::CacheOutcome;
use crate::system_prompt::Told;

/// The answers that are kept.
#[derive(Clone, Debug, Default)]
pub struct Cache;

/// What the cache said of a request.
#[derive(Debug)]
pub struct LookUp {
    pub outcome: CacheOutcome,
    pub answer: Option<Box<ChatResponse>>,
    /// Where the answer goes that the upstream gives; `None`: nowhere.
    pub slot: Option<Slot>,
}

/// The place of an answer that is on its way. Dropped before it is complete, it stays empty.
#[derive(Debug)]
pub struct Slot;

impl Cache {
    pub fn find(
        &self,
        _caller: &Caller,
        _request: &ChatRequest,
        _prompts: &Told,
        _headers: Option<&HeaderMap>,
    ) -> LookUp {
        LookUp {
            outcome: CacheOutcome::Bypass,
            answer: None,
            slot: None,
        }
    }
}

impl Slot {
    /// Keeps an answer that came in one piece.
    pub fn whole(self, _response: &ChatResponse) {}

    /// More of an answer that is streamed, before any rule changes it.
    pub fn push(&mut self, _events: &[StreamEvent]) {}

    /// The stream has come to its proper end.
    pub fn complete(self) {}
}
