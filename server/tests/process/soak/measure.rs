//! What the gateway holds on to, and chance that can be repeated.

use std::fs;
use std::time::{Duration, Instant};

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
    memory: u64,
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
    pub fn settled(gateway: &Gateway, targets: &[Target], before: Option<Self>) -> Self {
        let until = Instant::now() + SOON;
        let mut held = Self::by(gateway);
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let now = Self::by(gateway);
            let settled = match before {
                Some(before) => now.is_no_more_than(&before, targets),
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

    pub fn assert_no_more_than(&self, before: &Self, targets: &[Target]) {
        assert!(self.is_no_more_than(before, targets), "{before:?} {self:?}");
        assert!(
            self.memory <= before.memory + before.memory / 4 + MEMORY_SLACK,
            "memory: {before:?} {self:?}"
        );
    }

    /// Connections to targets that wait for their next request are not lost, and the targets know them.
    fn is_no_more_than(&self, before: &Self, targets: &[Target]) -> bool {
        let pooled: usize = targets.iter().map(Target::connections).sum();
        self.tasks <= before.tasks + SLACK
            && self.descriptors <= before.descriptors + pooled as u64 + SLACK
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
