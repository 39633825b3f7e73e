//! The answers themselves, whatever the settings are.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use llm::chat::Protocol;
use llm::dialects::Beside;
use shared::CostNanos;
use shared::policies::{CacheEntry, CacheSelection, CacheStats};

use super::answers::Answers;
use super::entry::{Draft, Entry, Owner};
use super::flights::Flights;
use super::key::{EntryKey, KeyParts, Keys, Mark};
use super::marks::Marks;

/// Answers by their keys. It outlives the settings: another cache takes it over.
#[derive(Debug)]
pub struct Kept {
    answers: RwLock<Answers>,
    marks: Arc<Marks>,
    pub(super) flights: Flights,
    /// The protocols that clients have asked in, a bit each. While there is one, nobody needs to look for the answers of others.
    protocols: AtomicU64,
    retired: Mutex<Retired>,
    counts: Counts,
}

/// No request that was under way when a key was deleted is so for longer.
const LONGEST_REQUEST: Duration = Duration::from_secs(24 * 60 * 60);

/// When keys and projects were deleted, by their names.
#[derive(Debug, Default)]
struct Retired {
    keys: HashMap<String, Instant>,
    projects: HashMap<String, Instant>,
}

#[derive(Debug, Default)]
struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
    bypasses: AtomicU64,
    coalesced: AtomicU64,
    saved_tokens: AtomicU64,
    saved_nanos: AtomicU64,
}

/// What has become of an entry.
#[derive(Clone, Debug)]
pub enum Change {
    Kept(Arc<Entry>),
    Forgotten(EntryKey),
}

/// Told of what is kept and forgotten.
pub type Observer = Arc<dyn Fn(Change) + Send + Sync>;

impl Kept {
    pub fn new(max_bytes: u64) -> Self {
        Self {
            answers: RwLock::new(Answers::new(max_bytes, None)),
            marks: Arc::new(Marks::new(max_bytes)),
            flights: Flights::default(),
            protocols: AtomicU64::new(0),
            retired: Mutex::default(),
            counts: Counts::default(),
        }
    }

    /// Tells of every change from here on; `None`: nobody wants to know any more.
    pub fn observe(&self, observer: Option<Observer>) {
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        *answers = answers.moved(answers.max_bytes, observer);
    }

    /// Keeps at most so much from here on. Where that is less, the latest answers stay.
    pub fn resize(&self, max_bytes: u64) {
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        if answers.max_bytes != max_bytes {
            *answers = answers.moved(max_bytes, answers.observer.clone());
        }
    }

    pub(super) fn max_bytes(&self) -> u64 {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        answers.max_bytes
    }

    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        self.selected(&CacheSelection::default())
    }

    /// Whether clients speak several protocols, of which this is one.
    pub(super) fn is_asked_in_several(&self, protocol: Protocol) -> bool {
        let place = Protocol::ALL.iter().position(|one| *one == protocol);
        let bit = 1 << place.unwrap_or_default();
        let mut seen = self.protocols.load(Ordering::Relaxed);
        if seen & bit == 0 {
            seen = self.protocols.fetch_or(bit, Ordering::Relaxed) | bit;
        }
        !seen.is_power_of_two()
    }

    /// The answer of this key that is no older than `max_age`; `mark` is its question's.
    pub(super) fn find(
        &self,
        key: EntryKey,
        mark: Option<Mark>,
        max_age: Duration,
        at: DateTime<Utc>,
    ) -> Option<Arc<Entry>> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let entry = answers.answer_to(key, mark)?;
        (entry.age(at) <= max_age && at < entry.expires_at()).then_some(entry)
    }

    /// A key or a project is gone: what its requests that are under way are answered is not for whoever gets the name.
    pub(super) fn retire(&self, selection: &CacheSelection) {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let may_matter = |_: &String, at: &mut Instant| now.duration_since(*at) < LONGEST_REQUEST;
        retired.keys.retain(may_matter);
        retired.projects.retain(may_matter);
        retired
            .keys
            .extend(selection.key.clone().map(|name| (name, now)));
        let project = selection.project.clone();
        retired.projects.extend(project.map(|name| (name, now)));
    }

    /// Whether names that a request goes by, as they were `since` then, belong to nobody or somebody else by now.
    pub(super) fn is_retired(&self, owner: &Owner, since: Instant) -> bool {
        let retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        let in_between = |names: &HashMap<String, Instant>, name: &Option<Arc<str>>| {
            let at = name.as_deref().and_then(|name| names.get(name));
            at.is_some_and(|at| since <= *at)
        };
        in_between(&retired.keys, &owner.key) || in_between(&retired.projects, &owner.project)
    }

    /// Whether there may be an answer to a question of this mark.
    pub(super) fn may_be(&self, mark: Mark) -> bool {
        self.marks.may_be(mark)
    }

    pub(super) fn keep(&self, draft: Draft, keys: Keys) -> Arc<Entry> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let claim = draft.mark.map(|mark| self.marks.claim(mark));
        if let (Some(mark), Some(claim)) = (draft.mark, &claim)
            && !claim.is_first
        {
            // It may be the one whose place this one takes.
            answers.give_key(mark);
        }
        let plain = keys.plain.filter(|_| draft.is_common());
        let entry = Arc::new(draft.with(keys.exact, plain, claim));
        // First, for there may be no room: then it is told at once that the entry is forgotten.
        answers.tell(|| Change::Kept(Arc::clone(&entry)));
        answers.keep(Arc::clone(&entry));
        entry
    }

    /// The same before there is a key.
    pub(super) fn keep_draft(&self, draft: Draft, parts: KeyParts) {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        if let (None, Some(mark)) = (&answers.observer, draft.mark)
            && let Some(kept) = parts.kept()
        {
            let mut latest = answers.latest();
            let claim = self.marks.claim(mark);
            // Another one of this mark, asked for at the same time, may have the place.
            if claim.is_first {
                return answers.add(&mut latest, Arc::new(draft.keyless(mark, claim, kept)));
            }
        }
        drop(answers);
        if let Some(exact) = parts.key() {
            let keys = Keys {
                exact,
                plain: None,
                beside: Beside::default(),
            };
            self.keep(draft, keys);
        }
    }

    /// Takes back what was kept before a restart.
    pub fn restore(&self, entries: Vec<Entry>) {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        // The latest come first, and are to go last.
        for mut entry in entries.into_iter().rev() {
            if entry.plain.is_some() {
                // There were clients of several protocols, and their answers are worth looking for.
                self.protocols.store(u64::MAX, Ordering::Relaxed);
            }
            entry.claim = entry.mark.map(|mark| self.marks.claim(mark));
            answers.keep(Arc::new(entry));
        }
    }

    /// All there are, or those of a selection, the latest first.
    pub fn entries(&self, selection: &CacheSelection, limit: usize) -> Vec<CacheEntry> {
        let mut entries = self.selected(selection);
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.stored_at));
        entries.truncate(limit);
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let shown = entries.iter().map(|entry| {
            // What it is shown under it stays under.
            let keyed = entry.keyed();
            if let (Some(mark), Some(_)) = (entry.mark, &keyed) {
                answers.give_key(mark);
            }
            keyed.as_ref().unwrap_or(entry).shown()
        });
        shown.collect()
    }

    /// Forgets those of a selection, and says how many.
    pub fn clear(&self, selection: &CacheSelection) -> u64 {
        self.take_out(selection).len() as u64
    }

    /// The same; they are still where they are kept beyond a restart.
    pub(super) fn take_out(&self, selection: &CacheSelection) -> Vec<EntryKey> {
        let forget = || {
            let entries = self.selected(selection);
            let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
            for entry in &entries {
                answers.forget(entry);
            }
            entries.iter().map(|entry| entry.key).collect::<Vec<_>>()
        };
        let forgotten = forget();
        // One that got its key in between has not been found by what it had in place of it.
        forget();
        forgotten
    }

    fn selected(&self, selection: &CacheSelection) -> Vec<Arc<Entry>> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let now = Utc::now();
        let mut entries = match &selection.id {
            Some(id) => {
                let key = EntryKey::parse(id);
                let found = key.and_then(|key| answers.entry(key));
                found.into_iter().collect()
            }
            None => answers.entries(),
        };
        let is = |wanted: &Option<String>, name: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == name
        };
        entries.retain(|entry| {
            let owner = &entry.owner;
            let by_either_name = is(&selection.model, Some(&owner.model))
                || is(&selection.model, owner.known_as.as_deref());
            by_either_name
                && is(&selection.key, owner.key.as_deref())
                && is(&selection.project, owner.project.as_deref())
                && now < entry.expires_at()
        });
        entries
    }

    pub fn stats(&self) -> CacheStats {
        let entries = self.selected(&CacheSelection::default());
        let counts = &self.counts;
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        CacheStats {
            entries: entries.len() as u64,
            bytes: entries.iter().map(|entry| entry.bytes).sum(),
            hits: count(&counts.hits),
            misses: count(&counts.misses),
            bypasses: count(&counts.bypasses),
            coalesced: count(&counts.coalesced),
            saved_tokens: count(&counts.saved_tokens),
            saved_nanos: CostNanos(i64::try_from(count(&counts.saved_nanos)).unwrap_or(i64::MAX)),
        }
    }

    pub(super) fn missed(&self) {
        self.counts.misses.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn bypassed(&self) {
        self.counts.bypasses.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn hit(&self, entry: &Entry, coalesced: bool) {
        let counts = &self.counts;
        counts.hits.fetch_add(1, Ordering::Relaxed);
        counts
            .coalesced
            .fetch_add(u64::from(coalesced), Ordering::Relaxed);
        counts
            .saved_tokens
            .fetch_add(entry.tokens(), Ordering::Relaxed);
        let cost = entry.origin.cost_nanos.unwrap_or_default();
        let cost = u64::try_from(cost).unwrap_or_default();
        counts.saved_nanos.fetch_add(cost, Ordering::Relaxed);
        entry.hits.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use llm::chat::ChatResponse;

    use super::super::entry::Origin;
    use super::super::response::Response;
    use super::*;

    fn keep(kept: &Kept, number: u64, mark: Mark) -> EntryKey {
        let parts = || KeyParts {
            before: Vec::new(),
            protocol: Protocol::OpenAiChat,
            body: Bytes::from(format!("{{\"seed\":{number}}}")),
        };
        kept.keep_draft(draft(mark), parts());
        parts().key().unwrap()
    }

    fn draft(mark: Mark) -> Draft {
        Draft {
            asked_in: Some(Protocol::OpenAiChat),
            response: Response::Chat(ChatResponse::default()),
            echoed: 0,
            own: None,
            origin: Origin::default(),
            owner: Owner::default(),
            stored_at: Utc::now(),
            ttl: Duration::from_secs(60),
            bytes: 512,
            mark: Some(mark),
        }
    }

    fn find(kept: &Kept, key: EntryKey, mark: Mark) -> Option<Arc<Entry>> {
        kept.find(key, Some(mark), Duration::MAX, Utc::now())
    }

    #[test]
    fn what_is_asked_again_is_found_however_many_others_there_are() {
        let kept = Kept::new(64 << 10);
        let mut mark = 0;
        let mut others = |count: u64| {
            for _ in 0..count {
                mark += 1;
                keep(&kept, mark, Mark(mark));
                kept.all();
            }
        };
        others(500);
        let key = keep(&kept, 0, Mark(0));
        for _ in 0..20 {
            others(20);
            assert!(find(&kept, key, Mark(0)).is_some());
        }
        others(500);
        assert!(find(&kept, key, Mark(0)).is_none(), "it was to go");
    }

    #[test]
    fn the_latest_answer_takes_the_place_of_one_without_a_key() {
        let kept = Kept::new(1 << 20);
        let exact = keep(&kept, 1, Mark(1));
        let keys = Keys {
            exact,
            plain: None,
            beside: Beside::default(),
        };
        let mut other = draft(Mark(1));
        other.bytes = 700;
        kept.keep(other, keys);
        assert_eq!(kept.all().len(), 1);
        assert_eq!(find(&kept, exact, Mark(1)).unwrap().bytes, 700);
    }

    #[test]
    fn what_is_listed_stays_what_it_is() {
        let kept = Kept::new(1 << 20);
        let key = keep(&kept, 1, Mark(1));
        let listed = kept.entries(&CacheSelection::default(), 10).remove(0).id;
        assert_eq!(listed, key.to_string());
        assert!(find(&kept, key, Mark(1)).is_some());
        let this = CacheSelection {
            id: Some(listed),
            ..CacheSelection::default()
        };
        assert_eq!(kept.clear(&this), 1);
        assert!(find(&kept, key, Mark(1)).is_none());
    }

    #[test]
    fn equal_questions_at_a_time_all_find_it() {
        for _ in 0..200 {
            let kept = Kept::new(1 << 20);
            let key = keep(&kept, 1, Mark(1));
            let begin = std::sync::Barrier::new(4);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        begin.wait();
                        assert!(find(&kept, key, Mark(1)).is_some());
                    });
                }
            });
        }
    }

    #[test]
    fn all_that_were_asked_at_a_time_with_one_mark_are_found() {
        let kept = Kept::new(1 << 20);
        // More than wait for moka.
        let keys: Vec<EntryKey> = (0..100).map(|seed| keep(&kept, seed, Mark(7))).collect();
        for (seed, mark) in (100..200).enumerate() {
            keep(&kept, seed as u64, Mark(mark));
        }
        for key in &keys {
            assert_eq!(find(&kept, *key, Mark(7)).unwrap().key, *key);
        }
        // Nothing is there twice.
        keep(&kept, 3, Mark(7));
        assert_eq!(kept.all().len(), 200);
        let other = Kept::new(1 << 20);
        let key = keep(&other, 1, Mark(1));
        assert_eq!(keep(&other, 1, Mark(1)), key);
        assert_eq!(other.all().len(), 1);
    }
}
