//! What an operator can ask about policies, answered.

use async_trait::async_trait;
use shared::AdminError;
use shared::policies::{
    BudgetState, CacheEntry, CacheSelection, ClientKey, ConfiguredKey, Edit, FieldError,
    LimitState, LoggingChange, NewKey, Policy, PolicyApi, PolicyEntry, PolicyKind, PolicyStats,
    PolicyVersion, TestReport, TestedText,
};

use super::Admin;

impl Admin {
    /// The project of a client key.
    async fn project_of(&self, key: &str) -> Result<Option<String>, AdminError> {
        let entry = self.in_force.policy(PolicyKind::Key, key).await;
        match entry.map(|entry| (entry.deleted, entry.policy)) {
            Ok((false, Policy::Key(key))) => Ok(key.project),
            _ => Err(AdminError::Invalid {
                message: format!("There is no key `{key}`."),
                fields: vec![FieldError {
                    field: "key".to_owned(),
                    message: format!("there is no key `{key}`"),
                }],
            }),
        }
    }

    /// Of a key or a project that is gone nothing is left for whoever gets its name.
    async fn forget_answers_of(&self, kind: PolicyKind, name: &str) {
        let name = Some(name.to_owned());
        let selection = match kind {
            PolicyKind::Key => CacheSelection {
                key: name,
                ..CacheSelection::default()
            },
            PolicyKind::Project => CacheSelection {
                project: name,
                ..CacheSelection::default()
            },
            _ => return,
        };
        let policies = self.gateway.policies();
        if let Err(error) = policies.cache.retire(&selection, &self.store).await {
            tracing::warn!(%error, "Answers in the database go later on");
        }
    }
}

#[async_trait]
impl PolicyApi for Admin {
    async fn policies(&self, kind: PolicyKind) -> Result<Vec<PolicyEntry>, AdminError> {
        Ok(self.in_force.policies(kind).await)
    }

    async fn policy(&self, kind: PolicyKind, name: &str) -> Result<PolicyEntry, AdminError> {
        Ok(self.in_force.policy(kind, name).await?)
    }

    async fn put_policy(
        &self,
        name: &str,
        policy: Policy,
        edit: Edit,
    ) -> Result<PolicyEntry, AdminError> {
        Ok(self.in_force.put(name, policy, &edit).await?)
    }

    async fn delete_policy(
        &self,
        kind: PolicyKind,
        name: &str,
        edit: Edit,
    ) -> Result<(), AdminError> {
        self.in_force.delete(kind, name, &edit).await?;
        self.forget_answers_of(kind, name).await;
        Ok(())
    }

    async fn reset_policy(
        &self,
        kind: PolicyKind,
        name: &str,
        edit: Edit,
    ) -> Result<Option<PolicyEntry>, AdminError> {
        let there = self.in_force.reset_policy(kind, name, &edit).await?;
        if there.is_none() {
            self.forget_answers_of(kind, name).await;
        }
        Ok(there)
    }

    async fn policy_versions(
        &self,
        kind: PolicyKind,
        name: &str,
    ) -> Result<Vec<PolicyVersion>, AdminError> {
        Ok(self.in_force.versions(kind, name).await?)
    }

    async fn restore_policy(
        &self,
        kind: PolicyKind,
        name: &str,
        version: u64,
        edit: Edit,
    ) -> Result<Option<PolicyEntry>, AdminError> {
        let there = self.in_force.restore(kind, name, version, &edit).await?;
        if there.is_none() {
            self.forget_answers_of(kind, name).await;
        }
        Ok(there)
    }

    async fn change_logging(
        &self,
        change: LoggingChange,
        edit: Edit,
    ) -> Result<PolicyEntry, AdminError> {
        Ok(self.in_force.change_logging(change, &edit).await?)
    }

    async fn delete_former_secrets(
        &self,
        kind: PolicyKind,
        name: &str,
        edit: Edit,
    ) -> Result<u64, AdminError> {
        let deleted = self.in_force.delete_former_secrets(kind, name, &edit);
        Ok(deleted.await?)
    }

    async fn create_key(
        &self,
        name: &str,
        key: ClientKey,
        edit: Edit,
    ) -> Result<NewKey, AdminError> {
        Ok(self.in_force.create_key(name, key, &edit).await?)
    }

    async fn rotate_key(
        &self,
        name: &str,
        grace_seconds: u64,
        edit: Edit,
    ) -> Result<NewKey, AdminError> {
        let rotated = self.in_force.rotate_key(name, grace_seconds, &edit);
        Ok(rotated.await?)
    }

    async fn test_guardrails(&self, text: TestedText) -> Result<TestReport, AdminError> {
        let wrong = text.rule.as_deref().map(crate::guardrails::check);
        let wrong = wrong.unwrap_or_default().into_iter();
        let fields: Vec<_> = wrong
            .map(|error| FieldError {
                field: format!("rule.{}", error.field),
                ..error
            })
            .collect();
        if !fields.is_empty() {
            return Err(AdminError::Invalid {
                message: "The rule makes no sense.".to_owned(),
                fields,
            });
        }
        let project = match &text.key {
            Some(key) => self.project_of(key).await?,
            None => None,
        };
        let policies = self.gateway.policies();
        Ok(policies.guardrails.test(&text, project.as_deref()).await)
    }

    async fn limit_states(&self, limit: usize) -> Result<Vec<LimitState>, AdminError> {
        Ok(self.gateway.policies().limits.states(limit))
    }

    async fn budget_states(&self, limit: usize) -> Result<Vec<BudgetState>, AdminError> {
        Ok(self.gateway.policies().budgets.states(limit))
    }

    async fn cache_entries(
        &self,
        selection: CacheSelection,
        limit: usize,
    ) -> Result<Vec<CacheEntry>, AdminError> {
        let policies = self.gateway.policies();
        Ok(policies.cache.kept().entries(&selection, limit))
    }

    async fn clear_cache(&self, selection: CacheSelection) -> Result<u64, AdminError> {
        let policies = self.gateway.policies();
        let cleared = policies.cache.clear(&selection, &self.store).await;
        cleared.map_err(|error| AdminError::Unavailable {
            message: error.to_string(),
        })
    }

    async fn configuration(&self) -> Result<Vec<ConfiguredKey>, AdminError> {
        Ok(self.in_force.configuration().await)
    }

    async fn policy_stats(&self) -> Result<PolicyStats, AdminError> {
        let policies = self.gateway.policies();
        Ok(PolicyStats {
            cache: policies.cache.kept().stats(),
            guardrails: policies.guardrails.triggered(),
        })
    }
}
