//! What the gateway says of itself while it runs.

pub mod logs;
pub mod metrics;
pub mod sinks;
pub mod transitions;
