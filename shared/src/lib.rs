//! What the gateway and its dashboard say to each other: the admin API's requests and replies,
//! analytics and their units. Types only, no I/O; compiles to WebAssembly too.
//!
//! Units are in the names: `_ms` milliseconds, `_us` microseconds, `_nanos` billionths of a US
//! dollar, `_tokens` tokens. Times are UTC.

pub mod access;
pub mod admin;
pub mod analytics;
pub mod audit;
pub mod dry_run;
pub mod gateway;
pub mod money;
pub mod payloads;
pub mod policies;
pub mod routing;
pub mod status;
pub mod time_range;

pub use admin::{AdminApi, AdminError};
pub use audit::AuditApi;
pub use dry_run::DryRunApi;
pub use gateway::GatewayApi;
pub use money::CostNanos;
pub use payloads::PayloadApi;
pub use time_range::TimeRange;
