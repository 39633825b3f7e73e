//! What the process holds on to:
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>

use std::fmt;
use std::fs;

use prometheus_client::encoding::DescriptorEncoder;
use tokio::runtime::Handle;

use super::gateway::gauge;

/// Memory, files and tasks; the first two where the system has `/proc`.
pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    if let Some(bytes) = resident_bytes() {
        let help = "Resident memory size";
        gauge(encoder, "process_resident_memory_bytes", help, bytes)?;
    }
    if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
        let open = descriptors.count() as u64;
        let help = "Open file descriptors, connections among them";
        gauge(encoder, "process_open_fds", help, open)?;
    }
    if let Ok(runtime) = Handle::try_current() {
        let tasks = runtime.metrics().num_alive_tasks() as u64;
        let help = "Tasks of the asynchronous runtime that have not ended";
        gauge(encoder, "runtime_alive_tasks", help, tasks)?;
    }
    Ok(())
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
