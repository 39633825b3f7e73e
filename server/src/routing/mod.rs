//! Which targets a request may go to, in which order. Pure: names and numbers only.

mod failover;
mod pattern;
mod rotation;
mod route;
mod table;

pub use failover::fails_over;
pub use route::{ModelRoute, Order, RouteTarget};
pub use table::{Candidate, Candidates, ProviderEntry, RoutingTable, Wish};
