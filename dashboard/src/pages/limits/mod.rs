//! Rate limits, and quotas and budgets beside them.

mod fields;
mod list;
mod page;
mod uses;

pub use list::{LimitRow, Limits};
pub use page::LimitPage;
pub use uses::LimitUse;
