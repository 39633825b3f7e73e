//! What an operator can ask about policies.

use async_trait::async_trait;

use super::{
    BudgetState, CacheEntry, CacheSelection, ClientKey, ConfiguredKey, Edit, LimitState,
    LoggingChange, NewKey, Policy, PolicyEntry, PolicyKind, PolicyStats, PolicyVersion, TestReport,
    TestedText,
};
use crate::AdminError;

/// The part of [`AdminApi`](crate::AdminApi) that is about policies.
#[async_trait]
pub trait PolicyApi: Send + Sync + 'static {
    /// The policies of a kind in force, in the order in which they act, else by name.
    async fn policies(&self, kind: PolicyKind) -> Result<Vec<PolicyEntry>, AdminError>;

    /// One of them.
    async fn policy(&self, kind: PolicyKind, name: &str) -> Result<PolicyEntry, AdminError>;

    /// Puts a policy in force, from the next request on and beyond restarts. A key is not made this way, only changed.
    async fn put_policy(
        &self,
        name: &str,
        policy: Policy,
        edit: Edit,
    ) -> Result<PolicyEntry, AdminError>;

    /// Takes a policy out of force, whoever said it.
    async fn delete_policy(
        &self,
        kind: PolicyKind,
        name: &str,
        edit: Edit,
    ) -> Result<(), AdminError>;

    /// Takes all edits of a policy back: what the configuration says holds again. `None`: it says nothing.
    async fn reset_policy(
        &self,
        kind: PolicyKind,
        name: &str,
        edit: Edit,
    ) -> Result<Option<PolicyEntry>, AdminError>;

    /// What a policy was, the latest first.
    async fn policy_versions(
        &self,
        kind: PolicyKind,
        name: &str,
    ) -> Result<Vec<PolicyVersion>, AdminError>;

    /// Makes a policy what it was at one of its versions. `None`: there is none then.
    async fn restore_policy(
        &self,
        kind: PolicyKind,
        name: &str,
        version: u64,
        edit: Edit,
    ) -> Result<Option<PolicyEntry>, AdminError>;

    /// Changes how much is logged, and how it is written, and nothing else of the log.
    async fn change_logging(
        &self,
        change: LoggingChange,
        edit: Edit,
    ) -> Result<PolicyEntry, AdminError>;

    /// Deletes the secrets that a policy had in former versions and has no more, and says how many. Versions that
    /// need them cannot be restored from then on.
    async fn delete_former_secrets(
        &self,
        kind: PolicyKind,
        name: &str,
        edit: Edit,
    ) -> Result<u64, AdminError>;

    /// Makes a client key, with a secret that is told this once.
    async fn create_key(
        &self,
        name: &str,
        key: ClientKey,
        edit: Edit,
    ) -> Result<NewKey, AdminError>;

    /// Gives a client key another secret. Those before are taken for `grace_seconds` more.
    async fn rotate_key(
        &self,
        name: &str,
        grace_seconds: u64,
        edit: Edit,
    ) -> Result<NewKey, AdminError>;

    /// What the guardrails in force do with a text.
    async fn test_guardrails(&self, text: TestedText) -> Result<TestReport, AdminError>;

    /// How much of each rate limit is used, the fullest first, at most `limit` of them.
    async fn limit_states(&self, limit: usize) -> Result<Vec<LimitState>, AdminError>;

    /// How much of each quota and budget is used, the fullest first, at most `limit` of them.
    async fn budget_states(&self, limit: usize) -> Result<Vec<BudgetState>, AdminError>;

    /// What the cache holds, the latest first, at most `limit` of them.
    async fn cache_entries(
        &self,
        selection: CacheSelection,
        limit: usize,
    ) -> Result<Vec<CacheEntry>, AdminError>;

    /// Forgets answers, and says how many.
    async fn clear_cache(&self, selection: CacheSelection) -> Result<u64, AdminError>;

    /// Every key of the configuration, secrets masked, and who says so. Edits are not in it.
    async fn configuration(&self) -> Result<Vec<ConfiguredKey>, AdminError>;

    /// How cache and guardrails fare.
    async fn policy_stats(&self) -> Result<PolicyStats, AdminError>;
}
