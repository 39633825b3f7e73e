//! Where answers are found: most of them in moka, the latest beside it.
//!
//! A request that asks in vain is the rule. Most of those never reach moka, for [`Known`] says that there is nothing;
//! and moka is given answers many at a time. What it does for one takes several times as long when all its code and
//! tables have to come from far away first, as they do between two requests.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use moka::Expiry;
use moka::notification::RemovalCause;
use moka::sync::Cache;

use super::entry::Entry;
use super::kept::{Change, Observer};
use super::key::EntryKey;

/// So many answers are given to moka at a time.
const BATCH: usize = 64;
/// Of all bytes, the share that those may take which it does not have yet.
const SHARE: u64 = 64;

/// Answers by their keys, in so many bytes.
pub(super) struct Answers {
    pub max_bytes: u64,
    pub observer: Option<Observer>,
    known: Arc<Known>,
    latest: Mutex<Latest>,
    cache: Cache<EntryKey, Answer, ByItself>,
}

#[derive(Clone, Debug)]
enum Answer {
    Entry(Arc<Entry>),
    /// In another protocol's words it is this one.
    Plain(Arc<Link>),
}

#[derive(Debug)]
struct Link {
    to: EntryKey,
    _claim: Claim,
}

#[derive(Default)]
struct Latest {
    answers: HashMap<EntryKey, Answer, ByItself>,
    bytes: u64,
}

impl Answer {
    /// About what it takes in memory.
    fn bytes(&self) -> u64 {
        match self {
            Self::Entry(entry) => entry.bytes,
            Self::Plain(_) => 96,
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
    pub fn new(max_bytes: u64, known: Arc<Known>, observer: Option<Observer>) -> Self {
        let mut cache = Cache::builder()
            .max_capacity(max_bytes)
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
            known,
            latest: Mutex::default(),
            cache: cache.build_with_hasher(ByItself::default()),
        }
    }

    /// The same answers, kept otherwise. Where there is less room, the latest stay.
    pub fn moved(&self, max_bytes: u64, observer: Option<Observer>) -> Self {
        let moved = Self::new(max_bytes, Arc::clone(&self.known), observer);
        let mut entries = self.entries();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.stored_at));
        let mut left = max_bytes;
        for entry in entries {
            match left.checked_sub(entry.bytes) {
                Some(less) => {
                    left = less;
                    moved.keep(entry);
                }
                None => moved.tell(|| Change::Forgotten(entry.key)),
            }
        }
        moved
    }

    pub fn tell(&self, change: impl FnOnce() -> Change) {
        if let Some(observer) = &self.observer {
            observer(change());
        }
    }

    pub fn entry(&self, key: EntryKey) -> Option<Arc<Entry>> {
        match self.answer(key)? {
            Answer::Entry(entry) => Some(entry),
            Answer::Plain(link) => match self.answer(link.to)? {
                Answer::Entry(entry) => Some(entry),
                Answer::Plain(_) => None,
            },
        }
    }

    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.hand_over(&mut self.latest());
        let answers = self.cache.iter();
        let entries = answers.filter_map(|(_, answer)| match answer {
            Answer::Entry(entry) => Some(entry),
            Answer::Plain(_) => None,
        });
        entries.collect()
    }

    /// Keeps an entry, which is [known](Known::claim) by its key.
    pub fn keep(&self, entry: Arc<Entry>) {
        let mut latest = self.latest();
        if let Some(plain) = entry.plain {
            let link = Link {
                to: entry.key,
                _claim: self.known.claim(plain),
            };
            latest.add(plain, Answer::Plain(Arc::new(link)));
        }
        latest.add(entry.key, Answer::Entry(entry));
        if latest.answers.len() >= BATCH || latest.bytes > self.max_bytes / SHARE {
            self.hand_over(&mut latest);
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
        if !self.known.may_be(key) {
            return None;
        }
        // First among these, for that is the way they go.
        let latest = self.latest().answers.get(&key).cloned();
        latest.or_else(|| self.cache.get(&key))
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
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
        match answer {
            Answer::Entry(entry) => {
                let left = entry.expires_at() - Utc::now();
                Some(left.to_std().unwrap_or_default())
            }
            // Without its entry it leads nowhere, and goes when room is needed.
            Answer::Plain(_) => None,
        }
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

/// Which keys there may be: how many there are, by some of their bits. For as long as one is claimed there may be it.
pub(super) struct Known(Box<[AtomicU8]>);

/// There may be this key. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct Claim {
    known: Arc<Known>,
    place: usize,
}

/// A count that has come so far stays there.
const UNCOUNTED: u8 = u8::MAX;

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl Known {
    /// For about as many answers as go into so many bytes. With more it says less.
    pub fn new(max_bytes: u64) -> Self {
        let count = (max_bytes / 1024).clamp(1 << 10, 1 << 22);
        let count = usize::try_from(count).unwrap_or(1 << 10);
        let counts = (0..count.next_power_of_two()).map(|_| AtomicU8::new(0));
        Self(counts.collect())
    }

    pub fn claim(self: &Arc<Self>, key: EntryKey) -> Claim {
        let place = self.place(key);
        self.count(place, |count| count.checked_add(1));
        Claim {
            known: Arc::clone(self),
            place,
        }
    }

    fn may_be(&self, key: EntryKey) -> bool {
        self.0[self.place(key)].load(Ordering::Acquire) > 0
    }

    fn place(&self, key: EntryKey) -> usize {
        // Its length is a power of two.
        (key.0 >> 64) as usize & (self.0.len() - 1)
    }

    fn count(&self, place: usize, next: impl Fn(u8) -> Option<u8>) {
        let counted = |count: u8| next(count).filter(|_| count != UNCOUNTED);
        let _ = self.0[place].fetch_update(Ordering::AcqRel, Ordering::Acquire, counted);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.known.count(self.place, |count| count.checked_sub(1));
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
    use std::sync::atomic::AtomicU64;

    use chrono::TimeDelta;
    use llm::chat::ChatResponse;

    use super::super::entry::{Origin, Owner};
    use super::*;

    fn entry(number: u128, plain: Option<u128>, bytes: u64, known: &Arc<Known>) -> Arc<Entry> {
        let key = EntryKey(number << 64);
        Arc::new(Entry {
            key,
            plain: plain.map(|number| EntryKey(number << 64)),
            response: ChatResponse::default(),
            echoes: false,
            origin: Origin::default(),
            owner: Owner::default(),
            stored_at: Utc::now() + TimeDelta::microseconds(number as i64),
            ttl: Duration::from_secs(60),
            bytes,
            hits: AtomicU64::new(0),
            claim: Some(known.claim(key)),
        })
    }

    #[test]
    fn each_answer_is_found_wherever_it_is() {
        let known = Arc::new(Known::new(0));
        let answers = Answers::new(1 << 20, Arc::clone(&known), None);
        let count = 3 * BATCH as u128 / 2;
        for number in 0..count {
            answers.keep(entry(number, Some(1000 + number), 512, &known));
            let there = answers.latest().answers.len();
            assert!(there < BATCH, "{there} wait");
        }
        let found = |number: u128| {
            let found = answers.entry(EntryKey(number << 64));
            found.map(|entry| entry.key.0 >> 64)
        };
        for number in 0..count {
            assert_eq!(found(number), Some(number));
            assert_eq!(found(1000 + number), Some(number));
        }
        assert_eq!(found(count), None);
        let last = answers.entry(EntryKey((count - 1) << 64)).unwrap();
        answers.forget(&last);
        assert_eq!((found(count - 1), found(999 + count)), (None, None));
        assert_eq!(answers.entries().len() as u128, count - 1);
        // One that is as large as many goes to moka at once.
        answers.keep(entry(count, None, 1 << 19, &known));
        assert!(answers.latest().answers.is_empty());
        assert_eq!(found(count), Some(count));
    }

    #[test]
    fn of_too_many_the_latest_stay() {
        let known = Arc::new(Known::new(0));
        let answers = Answers::new(1 << 20, Arc::clone(&known), None);
        for number in 0..100 {
            answers.keep(entry(number, None, 512, &known));
        }
        let moved = answers.moved(10 * 512, None);
        let kept = |number: u128| moved.entry(EntryKey(number << 64)).is_some();
        assert!((0..90).all(|number| !kept(number)));
        assert!((90..100).all(kept));
        drop((answers, moved));
        assert!(!known.may_be(EntryKey(95 << 64)), "nothing is left");
    }

    #[test]
    fn a_key_is_known_for_as_long_as_it_is_claimed() {
        let known = Arc::new(Known::new(0));
        // All of them in one place.
        let key = |number: u128| EntryKey(number << 80);
        assert!(!known.may_be(key(1)));
        let one = known.claim(key(1));
        let other = known.claim(key(2));
        drop(one);
        assert!(known.may_be(key(2)));
        drop(other);
        assert!(!known.may_be(key(2)));
        let many: Vec<Claim> = (0..300).map(|number| known.claim(key(number))).collect();
        drop(many);
        assert!(known.may_be(key(1)), "it was not counted any more");
    }
}
