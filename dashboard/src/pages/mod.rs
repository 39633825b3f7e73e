//! The pages.

mod cache;
mod guardrails;
mod keys;
mod limits;
mod login;
mod not_found;
mod overview;
mod paths;
mod prompts;

pub use cache::{CachePage, Cached, CachedAnswer, OVERRIDES};
pub use guardrails::{GuardrailPage, RuleRow, Rules};
pub use keys::{ALLOWANCES, KeyPage, KeyRow, Keys, KeysWanted, RATES};
pub use limits::{LimitPage, LimitRow, LimitUse, Limits};
pub use login::LoginPage;
pub use not_found::NotFound;
pub use overview::{OverviewPage, overview_href};
pub use paths::{FORM_PATHS, list_path};
pub use prompts::{PromptPage, PromptRow, PromptRows};
