//! Where answers are found: most of them in moka, the latest beside it.
//!
//! Moka is given answers many at a time: what is done for one of them takes several times as long when all its code and
//! tables have to come from far away first, as they do between two requests. Most have no key: they get it when somebody
//! asks who may want them, which of most nobody ever does.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use moka::Expiry;
use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::entry::Entry;
use super::kept::{Change, Observer};
use super::key::{EntryKey, Mark};

/// So many answers are given to moka at a time.
const BATCH: usize = 32;
/// Of all bytes, the share that those may take which it does not have yet.
const SHARE: u64 = 64;

/// Answers by their keys, in so many bytes.
pub(super) struct Answers {
    pub max_bytes: u64,
    pub observer: Option<Observer>,
    latest: Mutex<Latest>,
    cache: Cache<EntryKey, Answer, ByItself>,
}

#[derive(Clone, Debug)]
enum Answer {
    Entry(Arc<Entry>),
    /// In another protocol's words it is this one, for as long as that is good.
    Plain {
        to: EntryKey,
        expires_at: DateTime<Utc>,
    },
}

/// What is not in moka yet.
#[derive(Default)]
pub(super) struct Latest {
    answers: HashMap<EntryKey, Answer, ByItself>,
    bytes: u64,
}

impl Answer {
    /// About what it takes in memory.
    fn bytes(&self) -> u64 {
        match self {
            Self::Entry(entry) => entry.bytes,
            Self::Plain { .. } => 96,
        }
    }
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut answers = f.debug_struct("Answers");
        answers.field("max_bytes", &self.max_bytes);
        answers.finish_non_exhaustive()
    }
}

impl Answers {
    pub fn new(max_bytes: u64, observer: Option<Observer>) -> Self {
        // By how often they are asked for, moka would turn away all new ones that nobody has asked it for, and it is
        // not asked where a mark says that there is nothing.
        let mut cache = Cache::builder()
            .max_capacity(max_bytes)
            .eviction_policy(EvictionPolicy::lru())
            .weigher(|_, answer: &Answer| u32::try_from(answer.bytes()).unwrap_or(u32::MAX))
            .expire_after(Ttl);
        // Keeping an answer takes several times as long with one.
        if let Some(observer) = observer.clone() {
            cache = cache.eviction_listener(move |key: Arc<EntryKey>, answer, cause| {
                if matches!(answer, Answer::Entry(_)) && cause != RemovalCause::Replaced {
                    observer(Change::Forgotten(*key));
                }
            });
        }
        Self {
            max_bytes,
            observer,
            latest: Mutex::default(),
            cache: cache.build_with_hasher(ByItself::default()),
        }
    }

    /// The same answers, kept otherwise. Where there is less room, the latest stay.
    pub fn moved(&self, max_bytes: u64, observer: Option<Observer>) -> Self {
        let moved = Self::new(max_bytes, observer);
        let mut entries = self.entries();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.stored_at));
        let mut left = max_bytes;
        let mut fitting = Vec::with_capacity(entries.len());
        for entry in entries {
            match left.checked_sub(entry.bytes) {
                Some(less) => {
                    left = less;
                    fitting.push(entry);
                }
                None => moved.tell(|| Change::Forgotten(entry.key)),
            }
        }
        // The first to come are the first to go.
        for entry in fitting.into_iter().rev() {
            // Whoever is told wants keys.
            let keyed = moved.observer.as_ref().and_then(|_| entry.keyed());
            moved.keep(keyed.map_or(entry, Arc::new));
        }
        moved
    }

    pub fn tell(&self, change: impl FnOnce() -> Change) {
        if let Some(observer) = &self.observer {
            observer(change());
        }
    }

    /// The answer to a question of this key and this mark.
    pub fn answer_to(&self, key: EntryKey, mark: Option<Mark>) -> Option<Arc<Entry>> {
        let known = || self.entry(key).filter(|entry| entry.keyless.is_none());
        known().or_else(|| {
            self.give_key(mark?);
            // Somebody else may just have given it its key.
            known()
        })
    }

    /// What is kept without a key gets it, if there is something of this mark.
    pub fn give_key(&self, mark: Mark) {
        let in_place = EntryKey::in_place_of_one(mark);
        // Whoever lists what there is finds it under one of both.
        let mut latest = self.latest();
        let there = latest.answers.remove(&in_place);
        let there = there.or_else(|| self.cache.remove(&in_place));
        if let Some(Answer::Entry(keyless)) = there
            && let Some(keyed) = keyless.keyed()
        {
            self.add(&mut latest, Arc::new(keyed));
        }
    }

    pub fn entry(&self, key: EntryKey) -> Option<Arc<Entry>> {
        match self.answer(key)? {
            Answer::Entry(entry) => Some(entry),
            Answer::Plain { to, .. } => match self.answer(to)? {
                Answer::Entry(entry) => Some(entry),
                Answer::Plain { .. } => None,
            },
        }
    }

    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.hand_over(&mut self.latest());
        let answers = self.cache.iter();
        let entries = answers.filter_map(|(_, answer)| match answer {
            Answer::Entry(entry) => Some(entry),
            Answer::Plain { .. } => None,
        });
        entries.collect()
    }

    pub fn keep(&self, entry: Arc<Entry>) {
        self.add(&mut self.latest(), entry);
    }

    /// The same, for whoever has decided something by what there is.
    pub fn add(&self, latest: &mut Latest, entry: Arc<Entry>) {
        if let Some(plain) = entry.plain {
            let (to, expires_at) = (entry.key, entry.expires_at());
            latest.add(plain, Answer::Plain { to, expires_at });
        }
        latest.add(entry.key, Answer::Entry(entry));
        // Whoever is told of this one is told after that of what it takes the place of.
        let many = latest.answers.len() >= BATCH || latest.bytes > self.max_bytes / SHARE;
        if many || self.observer.is_some() {
            self.hand_over(latest);
        }
    }

    pub fn forget(&self, entry: &Entry) {
        self.hand_over(&mut self.latest());
        self.cache.invalidate(&entry.key);
        if let Some(plain) = entry.plain {
            self.cache.invalidate(&plain);
        }
    }

    fn answer(&self, key: EntryKey) -> Option<Answer> {
        // First among these, for that is the way they go.
        let latest = self.latest().answers.get(&key).cloned();
        latest.or_else(|| self.cache.get(&key))
    }

    pub fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives moka what it does not have yet.
    fn hand_over(&self, latest: &mut Latest) {
        latest.bytes = 0;
        for (key, answer) in latest.answers.drain() {
            self.cache.insert(key, answer);
        }
    }
}

impl Latest {
    fn add(&mut self, key: EntryKey, answer: Answer) {
        self.bytes += answer.bytes();
        self.answers.insert(key, answer);
    }
}

/// Each entry is good for as long as it says.
struct Ttl;

impl Expiry<EntryKey, Answer> for Ttl {
    fn expire_after_create(&self, _: &EntryKey, answer: &Answer, _: Instant) -> Option<Duration> {
        let expires_at = match answer {
            Answer::Entry(entry) => entry.expires_at(),
            Answer::Plain { expires_at, .. } => *expires_at,
        };
        Some((expires_at - Utc::now()).to_std().unwrap_or_default())
    }

    fn expire_after_update(
        &self,
        key: &EntryKey,
        answer: &Answer,
        at: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, answer, at)
    }
}

/// A key is a digest: bits of it are as good a hash as any.
type ByItself = BuildHasherDefault<Bits>;

#[derive(Default)]
struct Bits(u64);

impl Hasher for Bits {
    fn write_u128(&mut self, digest: u128) {
        self.0 = digest as u64;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chrono::TimeDelta;
    use llm::chat::{ChatResponse, Protocol};

    use super::super::entry::{Draft, Origin, Owner};
    use super::super::key::KeyParts;
    use super::super::marks::Marks;
    use super::super::response::Response;
    use super::*;

    fn draft(number: u128, bytes: u64) -> Draft {
        Draft {
            asked_in: Some(Protocol::OpenAiChat),
            response: Response::Chat(ChatResponse::default()),
            echoed: 0,
            own: None,
            origin: Origin::default(),
            owner: Owner::default(),
            stored_at: Utc::now() + TimeDelta::microseconds(number as i64),
            ttl: Duration::from_secs(60),
            bytes,
            mark: None,
        }
    }

    fn entry(number: u128, plain: Option<u128>, bytes: u64) -> Arc<Entry> {
        let plain = plain.map(EntryKey);
        Arc::new(draft(number, bytes).with(EntryKey(number), plain, None))
    }

    fn parts(number: u128) -> KeyParts {
        KeyParts {
            before: b"before".to_vec(),
            protocol: Protocol::OpenAiChat,
            body: Bytes::from(format!("{{\"messages\":[{number}]}}")),
        }
    }

    #[test]
    fn each_answer_is_found_wherever_it_is() {
        let answers = Answers::new(1 << 20, None);
        let count = 3 * BATCH as u128 / 2;
        for number in 0..count {
            answers.keep(entry(number, Some(1000 + number), 512));
            let there = answers.latest().answers.len();
            assert!(there < BATCH, "{there} wait");
        }
        let found = |number: u128| answers.entry(EntryKey(number)).map(|entry| entry.key.0);
        for number in 0..count {
            assert_eq!(found(number), Some(number));
            assert_eq!(found(1000 + number), Some(number));
        }
        assert_eq!(found(count), None);
        let last = answers.entry(EntryKey(count - 1)).unwrap();
        answers.forget(&last);
        assert_eq!((found(count - 1), found(999 + count)), (None, None));
        assert_eq!(answers.entries().len() as u128, count - 1);
        // One that is as large as many goes to moka at once.
        answers.keep(entry(count, None, 1 << 19));
        assert!(answers.latest().answers.is_empty());
        assert_eq!(found(count), Some(count));
    }

    fn keyless(number: u128, mark: Mark, marks: &Arc<Marks>) -> Arc<Entry> {
        let parts = parts(number).kept().unwrap();
        let draft = draft(number, 512);
        Arc::new(draft.keyless(mark, marks.claim(mark), parts))
    }

    #[test]
    fn those_without_a_key_get_it_when_it_is_needed() {
        let marks = Arc::new(Marks::new(0));
        let answers = Answers::new(1 << 20, None);
        let count = 3 * BATCH as u128 / 2;
        let mark = |number: u128| Mark(number as u64);
        for number in 0..count {
            answers.keep(keyless(number, mark(number), &marks));
            assert!(answers.latest().answers.len() < BATCH);
        }
        assert_eq!(answers.entries().len() as u128, count);
        for number in 0..count {
            let key = parts(number).key().unwrap();
            assert!(answers.entry(key).is_none());
            assert!(answers.answer_to(key, None).is_none());
            // A question that others have the mark of.
            let other = parts(number + 1000).key().unwrap();
            assert!(answers.answer_to(other, Some(mark(number))).is_none());
            let found = answers.answer_to(key, Some(mark(number))).unwrap();
            assert_eq!((found.key, found.bytes), (key, 512));
            assert_eq!(answers.entry(key).unwrap().key, key);
            assert!(marks.may_be(mark(number)));
        }
        assert_eq!(answers.entries().len() as u128, count);
        // What stands for a key is none.
        answers.keep(keyless(count, mark(999), &marks));
        let in_place = EntryKey::in_place_of_one(mark(999));
        assert!(answers.entry(in_place).is_some());
        assert!(answers.answer_to(in_place, None).is_none());
        drop(answers);
        assert!(!marks.may_be(mark(0)) && !marks.may_be(mark(999)));
    }

    #[test]
    fn whoever_is_told_of_answers_is_told_their_keys() {
        let marks = Arc::new(Marks::new(0));
        let answers = Answers::new(1 << 20, None);
        answers.keep(keyless(1, Mark(7), &marks));
        let unseen = answers.moved(1 << 20, None);
        assert!(unseen.entries()[0].keyless.is_some());
        let seen = unseen.moved(1 << 20, Some(Arc::new(|_| ())));
        assert_eq!(seen.entries()[0].key, parts(1).key().unwrap());
    }

    #[test]
    fn of_too_many_the_latest_stay() {
        let answers = Answers::new(1 << 20, None);
        for number in 0..100 {
            answers.keep(entry(number, None, 512));
        }
        let moved = answers.moved(10 * 512, None);
        let kept = |number: u128| moved.entry(EntryKey(number)).is_some();
        assert!((0..90).all(|number| !kept(number)));
        assert!((90..100).all(kept));
    }
}
