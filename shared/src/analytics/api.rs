//! What an operator can ask about what was recorded.

use async_trait::async_trait;

use super::{
    GatewayHealth, ListedPrice, RequestDetail, RequestLog, RequestQuery, Usage, UsageQuery,
};
use crate::AdminError;

/// The part of [`AdminApi`](crate::AdminApi) that is about what was recorded.
#[async_trait]
pub trait AnalyticsApi: Send + Sync + 'static {
    /// A page of the requests that were recorded, the latest first.
    async fn requests(&self, query: RequestQuery) -> Result<RequestLog, AdminError>;

    /// One of them, by its id.
    async fn request(&self, id: &str) -> Result<RequestDetail, AdminError>;

    /// Sums over requests, from rollups.
    async fn usage(&self, query: UsageQuery) -> Result<Usage, AdminError>;

    /// What tokens and other units cost, as far as that is known.
    async fn prices(&self) -> Result<Vec<ListedPrice>, AdminError>;

    /// How the gateway's parts fare. There is always an answer.
    async fn health(&self) -> GatewayHealth;
}
