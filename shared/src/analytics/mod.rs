//! What was recorded, as operators ask for it: figures, single requests, prices, health, exports.

mod api;
mod export;
mod health;
mod overview;
mod prices;
mod requests;
mod usage;

pub use api::AnalyticsApi;
pub use export::{ExportQuery, ExportView};
pub use health::{DatabaseHealth, GatewayHealth, HealthState, RecordingHealth};
pub use overview::{Bucket, ErrorCount, Overview, OverviewQuery, Percentiles, Share, Totals};
pub use prices::{ListedPrice, PriceSource, PriceUnit};
pub use requests::{
    AttemptEntry, CacheUse, GuardrailEntry, RequestDetail, RequestEntry, RequestFilter, RequestLog,
    RequestOutcome, RequestQuery, StatusFilter,
};
pub use usage::{Interval, Usage, UsageFigures, UsageGroup, UsageQuery, UsageRow};
