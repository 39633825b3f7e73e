//! The cache: how it works, how it fares, and what it holds.

mod entries;
mod fields;
mod figures;
mod page;

pub use entries::{Cached, CachedAnswer};
pub use fields::OVERRIDES;
pub use page::CachePage;
