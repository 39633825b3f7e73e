//! Answers given before, and given again.

mod answers;
mod check;
mod directives;
mod entry;
mod flights;
mod kept;
mod key;
mod marks;
mod persistence;
mod regards;
mod response;
mod slot;

pub use check::check;
pub use entry::{Entry, Origin, Owner};
pub use kept::{Change, Kept};
pub use key::{EntryKey, Question, Request};
pub use persistence::Persistence;
pub use response::{Repeatable, Response};
pub use slot::Slot;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use llm::chat::Protocol;
use llm::error::{ApiError, ErrorKind, ErrorSource};
use shared::policies::{CacheOverride, CacheScope, CacheSelection, CacheSettings};
use tokio::time::Instant;

use self::directives::Directives;
use self::flights::{Flight, Joined, State};
use self::key::{Beginning, Keys, Mark};
use self::regards::Regards;
use self::slot::{FoundBy, Place};
use crate::auth::Caller;
use crate::config::Config;
use crate::recording::record::CacheOutcome;
use crate::selection::{Selection, Subject};
use crate::store::{Store, StoreError};

/// The cache, as it is to work now. What it holds outlives a change of how it works.
#[derive(Clone, Debug)]
pub struct Cache {
    settings: CacheSettings,
    overrides: Selection<CacheOverride>,
    regards: Arc<Regards>,
    kept: Arc<Kept>,
    /// Since when names mean what they mean.
    since: std::time::Instant,
}

/// What the cache said of a request.
#[derive(Debug)]
pub struct LookUp {
    pub outcome: CacheOutcome,
    pub hit: Option<Box<Hit>>,
    /// Where the answer goes that the upstream gives; `None`: nowhere.
    pub slot: Option<Slot>,
}

/// An answer that is given again.
#[derive(Debug)]
pub struct Hit {
    pub entry: Arc<Entry>,
    pub response: Response,
    pub age: Duration,
}

/// What holds for one request.
struct InForce {
    ttl: Duration,
    scope: CacheScope,
    coalesce: bool,
}

impl Cache {
    pub fn new(config: &Config) -> Self {
        Self::over(Arc::new(Kept::new(config.cache.max_bytes)), config)
    }

    /// The same answers under another configuration. Those that are still good stay.
    #[must_use]
    pub fn rebuilt(&self, config: &Config) -> Self {
        self.kept.resize(config.cache.max_bytes);
        Self::over(Arc::clone(&self.kept), config)
    }

    fn over(kept: Arc<Kept>, config: &Config) -> Self {
        let overrides = config.cache.overrides.iter();
        Self {
            overrides: overrides
                .map(|different| (different.applies_to.clone(), different.clone()))
                .collect(),
            settings: CacheSettings {
                overrides: Vec::new(),
                ..config.cache.clone()
            },
            regards: Arc::new(Regards::of(config)),
            kept,
            since: std::time::Instant::now(),
        }
    }

    /// What is kept, and how it fares.
    pub fn kept(&self) -> &Arc<Kept> {
        &self.kept
    }

    /// Forgets the answers of a selection, also those that would be there again after a restart, and says how many.
    ///
    /// # Errors
    /// Those of the database. There is none of them in memory, and they go from the database later on.
    pub async fn clear(
        &self,
        selection: &CacheSelection,
        store: &Store,
    ) -> Result<u64, StoreError> {
        let gone = self.kept.take_out(selection);
        if self.is_persistent() && !gone.is_empty() {
            let keys: Vec<_> = gone.iter().map(|key| key.0.to_be_bytes()).collect();
            store.put_answers(&[], &keys, false).await?;
        }
        Ok(gone.len() as u64)
    }

    /// The same of a key or a project that is gone, with what its requests that are under way are yet to be answered.
    ///
    /// # Errors
    /// As [`clear`](Self::clear).
    pub async fn retire(&self, owner: &CacheSelection, store: &Store) -> Result<(), StoreError> {
        self.kept.retire(owner);
        self.clear(owner, store).await.map(|_| ())
    }

    /// Whether what is kept is to outlive a restart.
    pub fn is_persistent(&self) -> bool {
        self.settings.persistent
    }

    /// Looks for the answer to a request. While an equal one is under way that others may wait for, it is waited for,
    /// until `give_up`.
    ///
    /// # Errors
    /// `not_cached`, where the client wants nothing else.
    pub async fn find(
        &self,
        question: &Question<'_>,
        give_up: Instant,
    ) -> Result<LookUp, ApiError> {
        let directives = Directives::of(question.headers);
        let subject = question.caller.subject(question.request.model());
        let in_force = self.in_force(subject).filter(|_| !directives.no_store);
        let Some(in_force) = in_force else {
            return self.bypass(directives);
        };
        let beginning = Beginning::of(question, &self.regards, in_force.scope);
        let several = |protocol| self.kept.is_asked_in_several(protocol);
        let (mut mark, mut new) = (None, None);
        if let Request::Chat { request, .. } = question.request {
            mark = Mark::of(request);
            let is_new =
                |mark| !in_force.coalesce && !self.kept.may_be(mark) && !several(request.protocol);
            new = mark.is_some_and(is_new).then_some(request);
        }
        let mut flight = None;
        let found_by = if let Some(request) = new {
            FoundBy::Later(beginning.parts(request))
        } else {
            let Some(keys) = beginning.keys(question.request, several) else {
                return self.bypass(directives);
            };
            if !directives.no_cache {
                let sought = self.seek(question, (&keys, mark), &in_force, directives, give_up);
                match sought.await {
                    Sought::Found(found) => return Ok(found),
                    Sought::Nothing(first) => flight = first,
                }
            }
            FoundBy::Keys(keys)
        };
        if directives.no_cache {
            self.kept.bypassed();
        } else {
            self.kept.missed();
        }
        let caller = question.caller;
        let shared = in_force.scope == CacheScope::Shared;
        let project = caller.project();
        let by_project = in_force.scope == CacheScope::Project && project.is_some();
        let place = Place {
            kept: Arc::clone(&self.kept),
            since: self.since,
            found_by,
            mark,
            owner: Owner {
                model: question.request.model().unwrap_or_default().into(),
                known_as: caller.known_as.clone(),
                key: caller
                    .key_name()
                    .filter(|_| !shared && !by_project)
                    .cloned(),
                project: project.filter(|_| !shared).cloned(),
            },
            asked_in: question.request.asked_in(),
            set_aside: question.request.set_aside(),
            ttl: in_force.ttl,
            max_bytes: self.settings.max_entry_bytes,
            flight,
            origin: Origin::default(),
            in_its_own: false,
            price: None,
            coming: slot::Coming::default(),
        };
        let outcome = if directives.no_cache {
            CacheOutcome::Bypass
        } else {
            CacheOutcome::Miss
        };
        not_only_if_cached(
            directives,
            LookUp {
                outcome,
                hit: None,
                slot: Some(Slot(Box::new(place))),
            },
        )
    }

    /// Looks for an answer by its keys.
    async fn seek(
        &self,
        question: &Question<'_>,
        (keys, mark): (&Keys, Option<Mark>),
        in_force: &InForce,
        directives: Directives,
        give_up: Instant,
    ) -> Sought {
        let oldest = directives
            .max_age
            .map_or(Duration::MAX, Duration::from_secs);
        let oldest = oldest.min(in_force.ttl);
        let answers = |entry: &Entry| {
            entry.answers(question.request, keys) && may_have(question.caller, entry)
        };
        let found = |at: DateTime<Utc>| {
            let find = |key| {
                let found = self.kept.find(key, mark, oldest, at);
                found.filter(|entry| answers(entry))
            };
            find(keys.exact).or_else(|| find(keys.plain?))
        };
        let hit = |entry, coalesced| {
            let found = self.hit(entry, question, keys, coalesced);
            Sought::Found(found)
        };
        if let Some(entry) = found(Utc::now()) {
            return hit(entry, false);
        }
        // `max-age=0` wants the upstream itself to be asked.
        if !in_force.coalesce || directives.only_if_cached || directives.max_age == Some(0) {
            return Sought::Nothing(None);
        }
        let waited = self.wait(keys.awaited(question.request), give_up).await;
        match waited {
            // The one before may have ended since it was looked.
            Waited::First(first) => match found(Utc::now()) {
                Some(entry) => {
                    first.landed(Arc::clone(&entry));
                    hit(entry, true)
                }
                None => Sought::Nothing(Some(first)),
            },
            Waited::Answer(entry) if answers(&entry) => hit(entry, true),
            Waited::Answer(_) | Waited::Nothing => Sought::Nothing(None),
        }
    }

    fn bypass(&self, directives: Directives) -> Result<LookUp, ApiError> {
        self.kept.bypassed();
        not_only_if_cached(
            directives,
            LookUp {
                outcome: CacheOutcome::Bypass,
                hit: None,
                slot: None,
            },
        )
    }

    /// What [`find`](Self::find) would say of a request. It is not counted.
    pub fn outlook(&self, question: &Question<'_>) -> CacheOutcome {
        let directives = Directives::of(question.headers);
        let subject = question.caller.subject(question.request.model());
        let in_force = self.in_force(subject).filter(|_| !directives.no_store);
        let Some(in_force) = in_force else {
            return CacheOutcome::Bypass;
        };
        let beginning = Beginning::of(question, &self.regards, in_force.scope);
        let Some(keys) = beginning.keys(question.request, |_| true) else {
            return CacheOutcome::Bypass;
        };
        if directives.no_cache {
            return CacheOutcome::Bypass;
        }
        let oldest = directives
            .max_age
            .map_or(Duration::MAX, Duration::from_secs);
        let oldest = oldest.min(in_force.ttl);
        let mark = match question.request {
            Request::Chat { request, .. } => Mark::of(request),
            Request::Embeddings(_) | Request::Rerank(_) => None,
        };
        let all = [Some(keys.exact), keys.plain];
        let found = |key| {
            let found = self.kept.find(key, mark, oldest, Utc::now());
            found.is_some_and(|entry| {
                entry.answers(question.request, &keys) && may_have(question.caller, &entry)
            })
        };
        match all.into_iter().flatten().any(found) {
            true => CacheOutcome::Hit,
            false => CacheOutcome::Miss,
        }
    }

    fn in_force(&self, subject: Subject<'_>) -> Option<InForce> {
        let different = self.overrides.matching(subject).next();
        let different = different.unwrap_or(&NOTHING_DIFFERENT);
        let settings = &self.settings;
        let enabled = different.enabled.unwrap_or(settings.enabled);
        enabled.then(|| InForce {
            ttl: Duration::from_secs(different.ttl_seconds.unwrap_or(settings.ttl_seconds)),
            scope: different.scope.unwrap_or(settings.scope),
            coalesce: different.coalesce.unwrap_or(settings.coalesce),
        })
    }

    /// Waits for half of the time that there is: the other half is for asking oneself.
    async fn wait(&self, key: EntryKey, give_up: Instant) -> Waited {
        let now = Instant::now();
        let give_up = now + give_up.saturating_duration_since(now) / 2;
        loop {
            let state = match self.kept.flights.join(key) {
                Joined::First(flight) => return Waited::First(flight),
                Joined::Waiting(state) => state,
            };
            match tokio::time::timeout_at(give_up, flights::end(state)).await {
                Ok(Some(State::Landed(entry))) => return Waited::Answer(entry),
                // Its client has gone: one of those that waited asks now.
                Ok(None) => {}
                Ok(Some(State::Failed | State::UnderWay)) | Err(_) => return Waited::Nothing,
            }
        }
    }

    fn hit(
        &self,
        entry: Arc<Entry>,
        question: &Question<'_>,
        keys: &Keys,
        coalesced: bool,
    ) -> LookUp {
        self.kept.hit(&entry, coalesced);
        let mut response = entry.response.clone();
        // What the upstream said again was the other client's own.
        if entry.echoed != keys.beside.echoed
            && let (Response::Chat(response), Request::Chat { request, .. }) =
                (&mut response, question.request)
            && request.protocol == Protocol::OpenAiResponses
        {
            response.raw = None;
        }
        LookUp {
            outcome: CacheOutcome::Hit,
            hit: Some(Box::new(Hit {
                age: entry.age(Utc::now()),
                response,
                entry,
            })),
            slot: None,
        }
    }
}

/// Whether whoever answered then may answer this caller now. Of models nothing is to be asked: the name that was asked
/// for is part of the key, and was looked at before.
fn may_have(caller: &Caller, entry: &Entry) -> bool {
    let access = caller.access();
    access.is_none_or(|access| access.allows_answer_of(&entry.origin.provider))
}

/// What there is by the keys of a request.
enum Sought {
    Found(LookUp),
    /// Others may wait for this request.
    Nothing(Option<Flight>),
}

/// How the wait for another request's answer ended.
enum Waited {
    /// There is nobody to wait for: others wait for this request.
    First(Flight),
    Answer(Arc<Entry>),
    Nothing,
}

static NOTHING_DIFFERENT: CacheOverride = CacheOverride {
    applies_to: shared::policies::Selector {
        keys: Vec::new(),
        projects: Vec::new(),
        models: Vec::new(),
        addresses: Vec::new(),
        except_addresses: Vec::new(),
    },
    enabled: None,
    ttl_seconds: None,
    scope: None,
    coalesce: None,
};

fn not_only_if_cached(directives: Directives, found: LookUp) -> Result<LookUp, ApiError> {
    if !directives.only_if_cached {
        return Ok(found);
    }
    let message = "There is no answer in the cache, and the request wants no other (Cache-Control: only-if-cached).";
    Err(ApiError::new(ErrorKind::Timeout, ErrorSource::Policy, message).with_code("not_cached"))
}
