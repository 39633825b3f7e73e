//! What an operator decides about traffic, and can change while the gateway runs: the same values in the configuration
//! file, the database, the admin API and the dashboard.

mod amount;
mod api;
mod cache;
mod entry;
mod guardrail;
mod key;
mod limit;
mod logging;
mod model;
mod payloads;
mod price;
mod prompt;
mod provider;
mod route;
mod selector;
mod settings;
mod states;

pub use amount::{Allowance, Budget, Period, usual_alerts};
pub use api::PolicyApi;
pub use cache::{CacheOverride, CacheScope, CacheSettings};
pub use entry::{Edit, FieldError, MAX_REASON, Policy, PolicyEntry, PolicyKind, PolicyVersion};
pub use guardrail::{
    Action, Check, Guardrail, PiiKind, RuleTest, RuleVerdict, Side, TestReport, TestedText,
};
pub use key::{ClientKey, KeyPrefix, NewKey, Project};
pub use limit::{Algorithm, Per, Rate, RateLimit};
pub use logging::{
    DatadogSettings, ElasticsearchSettings, LoggingChange, LoggingSettings, SplunkSettings,
};
pub use model::{
    BreakerSettings, HedgeSettings, ModelSettings, NamedSettings, RetrySettings, RuleSettings,
    ShadowSettings, StickySettings, TargetSettings, WhenSettings,
};
pub use payloads::{PayloadOverride, PayloadSettings};
pub use price::{PriceSettings, TokenPrice, UnitPrice, price_name};
pub use prompt::{Position, SystemPrompt};
pub use provider::{HealthSettings, ProviderSettings, SimulatedSettings, TimeoutSettings};
pub use route::EgressRoute;
pub use selector::Selector;
pub use settings::{ConfiguredKey, RecordingSettings, ServerSettings, Settings};
pub use states::{
    BudgetState, CacheEntry, CacheSelection, CacheStats, LimitState, PolicyStats, Triggered,
};
