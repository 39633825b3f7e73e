//! What operators have changed, answered.

use async_trait::async_trait;
use shared::AdminError;
use shared::audit::{AuditApi, AuditPage, AuditQuery, ChainReport};

use super::Admin;
use crate::store::StoreError;

#[async_trait]
impl AuditApi for Admin {
    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, AdminError> {
        self.store.audit(&query).await.map_err(unavailable)
    }

    async fn verify_audit(&self, includes: Option<String>) -> Result<ChainReport, AdminError> {
        let report = self.store.verify_audit(includes.as_deref()).await;
        report.map_err(unavailable)
    }
}

fn unavailable(error: StoreError) -> AdminError {
    AdminError::Unavailable {
        message: error.to_string(),
    }
}
