//! The first page: traffic, tokens, errors, latency and cost over a time range.

mod empty;
mod errors;
mod figures;
mod filters;
mod live_switch;
mod page;
mod query;
mod range_picker;
mod shares;
mod skeleton;
mod tile;
mod tiles;

pub use page::OverviewPage;
pub use query::overview_href;
