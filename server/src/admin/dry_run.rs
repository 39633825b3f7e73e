//! Requests tried out, answered.

use async_trait::async_trait;
use shared::AdminError;
use shared::dry_run::{DryRun, DryRunApi, DryRunRequest};

use super::Admin;

#[async_trait]
impl DryRunApi for Admin {
    async fn dry_run(&self, request: DryRunRequest) -> Result<DryRun, AdminError> {
        crate::ingress::dry_run(&self.gateway, request).await
    }
}
