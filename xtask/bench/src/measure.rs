//! What the operating system knows of a process, and what to make of many figures.

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use nix::{
    sched::{CpuSet, sched_setaffinity},
    time::{ClockId, clock_gettime},
    unistd::Pid,
};

/// Puts the calling thread, and what it starts from now on, on one core.
pub fn pin(core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("cannot pin to core {core}"))
}

/// A process and its children, such as nginx's master and worker.
#[derive(Debug, Clone)]
pub struct Processes(Vec<Pid>);

impl Processes {
    pub fn of(pid: u32) -> Self {
        let mut pids = vec![pid];
        let path = format!("/proc/{pid}/task/{pid}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        pids.extend(
            children
                .split_whitespace()
                .filter_map(|word| word.parse::<u32>().ok()),
        );
        Self(
            pids.into_iter()
                .map(|pid| Pid::from_raw(pid as i32))
                .collect(),
        )
    }

    /// CPU time so far, of all threads, user and system, also of threads that have ended.
    pub fn cpu(&self) -> Result<Duration> {
        let mut total = Duration::ZERO;
        for pid in &self.0 {
            let clock = ClockId::pid_cpu_clock_id(*pid).context("the process is gone")?;
            total += Duration::from(clock_gettime(clock)?);
        }
        Ok(total)
    }

    /// Resident memory in bytes: now and at most so far.
    pub fn memory(&self) -> Result<(u64, u64)> {
        let (mut now, mut peak) = (0, 0);
        for pid in &self.0 {
            let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
            let field = |name: &str| {
                status
                    .lines()
                    .find_map(|line| {
                        line.strip_prefix(name)?
                            .strip_suffix("kB")?
                            .trim()
                            .parse()
                            .ok()
                    })
                    .unwrap_or(0)
            };
            now += field("VmRSS:") * 1024;
            peak += field("VmHWM:") * 1024;
        }
        Ok((now, peak))
    }
}

/// The value below which `share` of all are; sorts.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_by(f64::total_cmp);
    let at = (share * (values.len() - 1) as f64).round();
    values[at as usize]
}

/// The middle value.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    percentile(&mut values.into_iter().collect::<Vec<_>>(), 0.5)
}
