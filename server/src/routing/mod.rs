//! Which targets a request may go to, in which order, and what follows from their failures. Pure: the time and chance
//! are passed in, nothing is waited for, nothing is sent.

mod access;
mod ad_hoc;
mod backoff;
mod breaker;
mod budget;
mod build;
mod candidate;
mod failure;
mod in_use;
mod keys;
mod latency;
mod leg;
mod moment;
mod names;
pub mod pattern;
mod plan;
mod provider;
mod route;
mod rules;
mod states;
mod strategy;
mod table;
mod target;
mod target_set;
mod transition;
mod window;
mod wish;

#[cfg(test)]
mod tests;

pub use access::Access;
pub use build::PriceOf;
pub use candidate::{Candidate, Parameters};
pub use failure::{Elsewhere, Evidence, Verdict, fails_over};
pub use in_use::InUse;
pub use keys::KeyView;
pub use moment::Moment;
pub use plan::{Next, Plan};
pub use provider::{ProviderState, ProviderView};
pub use states::States;
pub use table::{ProviderEntry, RoutingTable};
pub use target::{TargetState, TargetView};
pub use target_set::MOST_TARGETS;
pub use transition::{Subject, Transition};
pub use wish::{Facts, NoFacts, Wish};

pub use crate::config::Endpoint;
