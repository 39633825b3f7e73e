//! Counts by their subjects, of which there may be any number: clients' addresses, names that clients make up.
//!
//! There is room for about [`MOST_SUBJECTS`] that have used some of their rate; those of which nothing is used any more
//! make room. Who comes when all is taken shares one count with all others that come then: a flood takes a bounded
//! amount of memory, and nobody is let through uncounted.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::HashMap;
use foldhash::fast::RandomState;
use shared::policies::Algorithm;

use super::count::Count;
use super::window::{Nanos, Size};

/// Subjects of one rate that are counted apart.
pub(super) const MOST_SUBJECTS: usize = 100_000;
const SHARDS: usize = 16;
const MOST_IN_SHARD: usize = MOST_SUBJECTS / SHARDS;
/// Fewer are not looked through for those that are of no use any more.
const FEW: usize = 64;
/// From one such look to the next, at least.
const BETWEEN_SWEEPS: Nanos = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Table<K: ToOwned + ?Sized>
where
    K::Owned: std::fmt::Debug,
{
    algorithm: Algorithm,
    hasher: RandomState,
    shards: [Mutex<Shard<K::Owned>>; SHARDS],
    nobody: Arc<Count>,
    others: Arc<Count>,
}

#[derive(Debug)]
struct Shard<K> {
    counts: HashMap<K, Arc<Count>>,
    /// With so many it is time to look.
    sweep_at: usize,
    swept: Option<Nanos>,
}

impl<K> Table<K>
where
    K: ToOwned + Hash + Eq + ?Sized,
    K::Owned: Borrow<K> + Hash + Eq + std::fmt::Debug,
{
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            hasher: RandomState::default(),
            shards: std::array::from_fn(|_| {
                Mutex::new(Shard {
                    counts: HashMap::default(),
                    sweep_at: FEW,
                    swept: None,
                })
            }),
            nobody: Arc::new(Count::new(algorithm)),
            others: Arc::new(Count::new(algorithm)),
        }
    }

    /// The subject's count; it gets one if it has none.
    pub fn of(&self, subject: &K, size: &Size, now: Nanos) -> Arc<Count> {
        let mut shard = self.shard(subject);
        if let Some(count) = shard.counts.get(subject) {
            return Arc::clone(count);
        }
        if shard.counts.len() >= shard.sweep_at {
            shard.sweep(size, now);
        }
        if shard.counts.len() >= MOST_IN_SHARD {
            return self.others();
        }
        let count = Arc::new(Count::new(self.algorithm));
        shard.counts.insert(subject.to_owned(), Arc::clone(&count));
        count
    }

    /// The subject's count, if it has one. Where there may be no room for it, that of all others.
    pub fn find(&self, subject: &K) -> Option<Arc<Count>> {
        let shard = self.shard(subject);
        match shard.counts.get(subject) {
            Some(count) => Some(Arc::clone(count)),
            None if shard.counts.len() >= MOST_IN_SHARD => Some(self.others()),
            None => None,
        }
    }

    /// That of requests without any subject.
    pub fn nobody(&self) -> Arc<Count> {
        Arc::clone(&self.nobody)
    }

    /// That of all for whom there is no room.
    pub fn others(&self) -> Arc<Count> {
        Arc::clone(&self.others)
    }

    pub fn each(&self, mut visit: impl FnMut(&K, &Count)) {
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (subject, count) in &shard.counts {
                visit(subject.borrow(), count);
            }
        }
    }

    fn shard(&self, subject: &K) -> MutexGuard<'_, Shard<K::Owned>> {
        // The lowest bits choose a place within a map.
        let hash = self.hasher.hash_one(subject) >> 32;
        let shard = &self.shards[hash as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Shard<K> {
    /// Forgets those of which nothing is used, unless that has just been done.
    fn sweep(&mut self, size: &Size, now: Nanos) {
        let is_time = |swept: Nanos| now >= swept.saturating_add(BETWEEN_SWEEPS);
        if !self.swept.is_none_or(is_time) {
            return;
        }
        self.swept = Some(now);
        // A request under way may hold one, and has something to give back or to add.
        self.counts
            .retain(|_, count| Arc::strong_count(count) > 1 || !count.is_idle(size, now));
        self.sweep_at = (2 * self.counts.len()).clamp(FEW, MOST_IN_SHARD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::window::Amount;

    const SIZE: Size = Size {
        requests: Some(1),
        tokens: None,
        window: 60 * BETWEEN_SWEEPS,
    };

    fn use_one(table: &Table<u32>, subject: u32, now: Nanos) -> Arc<Count> {
        let count = table.of(&subject, &SIZE, now);
        let taken = count.lock().window.take(&SIZE, Amount::REQUEST, now);
        assert_eq!(taken, now);
        count
    }

    fn subjects(table: &Table<u32>) -> usize {
        let mut subjects = 0;
        table.each(|_, _| subjects += 1);
        subjects
    }

    #[test]
    fn a_flood_has_an_end_and_those_who_were_there_keep_their_counts() {
        let table = Table::new(Algorithm::FixedWindow);
        let first = use_one(&table, 0, 0);
        let mut crowded_out = 0;
        for subject in 1..2 * MOST_SUBJECTS as u32 {
            let count = use_one(&table, subject, 1);
            crowded_out += usize::from(Arc::ptr_eq(&count, &table.others()));
        }
        assert!(subjects(&table) <= MOST_SUBJECTS);
        // What comes too late is counted together, and so refused soon.
        assert!(crowded_out >= MOST_SUBJECTS - 1, "{crowded_out}");
        let used = table.others().lock().window.used(&SIZE, 1).requests;
        assert_eq!(used, crowded_out as u64);
        assert!(Arc::ptr_eq(&table.of(&0, &SIZE, 1), &first));
    }

    #[test]
    fn those_of_which_nothing_is_used_make_room() {
        let table = Table::new(Algorithm::SlidingWindow);
        let under_way = use_one(&table, 0, 0);
        for subject in 1..2 * MOST_SUBJECTS as u32 {
            use_one(&table, subject, 0);
        }
        for subject in 0..20_000 {
            use_one(&table, 1_000_000 + subject, SIZE.window);
        }
        assert!(subjects(&table) < 50_000, "{}", subjects(&table));
        assert!(Arc::ptr_eq(&table.of(&0, &SIZE, SIZE.window), &under_way));
    }

    #[test]
    fn few_take_no_more_room_than_few() {
        let table = Table::new(Algorithm::TokenBucket);
        for round in 0..2_000_u32 {
            use_one(&table, round, Nanos::from(round) * SIZE.window);
        }
        assert!(subjects(&table) <= FEW * SHARDS, "{}", subjects(&table));
    }
}
