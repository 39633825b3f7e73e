//! What the gateway holds on to, and chance that can be repeated.

use std::time::{Duration, Instant};
use std::{fmt, fs};

use super::target::Target;
use crate::process::{Gateway, SOON};

/// What opens and closes by itself: files of the database, its writers.
const SLACK: u64 = 6;
/// Of memory, bytes: what an allocator keeps for later.
const MEMORY_SLACK: u64 = 24 << 20;

/// What the gateway's process holds.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    tasks: u64,
    descriptors: u64,
    /// Bytes.
    pub memory: u64,
}

impl Held {
    pub fn by(gateway: &Gateway) -> Self {
        let request = gateway.client.get(format!("{}/metrics", gateway.admin_url));
        let metrics = request
            .bearer_auth("the-admin-token")
            .send()
            .and_then(reqwest::blocking::Response::text)
            .unwrap();
        let value = |name: &str| {
            let line = metrics.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {metrics}"))
                .trim()
                .parse()
                .unwrap()
        };
        let process = format!("/proc/{}/fd", gateway.id());
        Self {
            tasks: value("runtime_alive_tasks "),
            descriptors: fs::read_dir(process).unwrap().count() as u64,
            memory: value("process_resident_memory_bytes "),
        }
    }

    /// As soon as nothing is under way any more: no more than `before`, or no less than a moment ago.
    /// Connections to targets that wait for their next request are not held for nothing: they are not counted.
    pub fn settled(gateway: &Gateway, targets: &[Target], before: Option<Self>) -> Self {
        let until = Instant::now() + SOON;
        let count = || {
            let held = Self::by(gateway);
            let pooled: usize = targets.iter().map(Target::connections).sum();
            Self {
                descriptors: held.descriptors.saturating_sub(pooled as u64),
                ..held
            }
        };
        let mut held = count();
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let now = count();
            let settled = match before {
                Some(before) => now.is_no_more_than(&before),
                None => now.tasks == held.tasks && now.descriptors == held.descriptors,
            };
            held = now;
            if settled || Instant::now() > until {
                return held;
            }
        }
    }

    pub fn or_more(self, other: Self) -> Self {
        Self {
            tasks: self.tasks.max(other.tasks),
            descriptors: self.descriptors.max(other.descriptors),
            memory: self.memory.max(other.memory),
        }
    }

    pub fn assert_no_more_than(&self, before: &Self) {
        assert!(self.is_no_more_than(before), "{before:?} {self:?}");
        assert!(
            self.memory <= before.memory + before.memory / 4 + MEMORY_SLACK,
            "memory: {before:?} {self:?}"
        );
    }

    fn is_no_more_than(&self, before: &Self) -> bool {
        self.tasks <= before.tasks + SLACK && self.descriptors <= before.descriptors + SLACK
    }
}

/// How much memory there was, in the order of time.
#[derive(Debug, Default)]
pub struct Memory(Vec<u64>);

impl Memory {
    pub fn add(&mut self, bytes: u64) {
        self.0.push(bytes);
    }

    /// What is leaked with each request would go on growing: the last fifth is about as high as the one before the
    /// middle.
    pub fn assert_level(&self) {
        let fifths = self.fifths();
        let (early, late) = (fifths[1], fifths[4]);
        assert!(late <= early + early / 10 + (4 << 20), "{self}");
    }

    /// The median of each fifth.
    fn fifths(&self) -> [u64; 5] {
        let size = (self.0.len() / 5).max(1);
        let mut fifths = self.0.chunks(size).map(|samples| {
            let mut samples = samples.to_vec();
            samples.sort_unstable();
            samples[samples.len() / 2]
        });
        std::array::from_fn(|_| fifths.next().unwrap_or_default())
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.fifths().map(|bytes| bytes >> 20);
        write!(f, "memory over time, MB: {megabytes:?}")
    }
}

/// Numbers that look random: SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
