//! A [`PolicyApi`] in memory: edits are kept as long as the process runs, and nothing enforces them.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use shared::policies::{
    Action, Allowance, BudgetState, CacheEntry, CacheSelection, CacheStats, Check, ClientKey, Edit,
    FieldError, KeyPrefix, LimitState, LoggingChange, NewKey, Per, Period, Policy, PolicyApi,
    PolicyEntry, PolicyKind, PolicyStats, PolicyVersion, Rate, RuleTest, RuleVerdict, TestReport,
    TestedText, Triggered,
};
use shared::routing::Source;
use shared::{AdminError, CostNanos};

/// What the file says, and what became of each policy since.
#[derive(Debug, Default)]
pub struct Policies {
    kept: Mutex<Kept>,
    hold: Hold,
}

/// What is waited for before anything is told.
#[derive(Clone, Default)]
pub struct Hold(pub Option<Arc<dyn Fn() -> Held + Send + Sync>>);

pub type Held = Pin<Box<dyn Future<Output = ()> + Send>>;

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hold").field(&self.0.is_some()).finish()
    }
}

#[derive(Debug, Default)]
struct Kept {
    in_file: BTreeMap<(PolicyKind, String), Policy>,
    edits: BTreeMap<(PolicyKind, String), Vec<PolicyVersion>>,
    cached: Vec<CacheEntry>,
    secrets: u64,
    busy: bool,
}

impl Policies {
    /// A gateway that has nothing configured.
    pub fn none() -> Self {
        let kept = Kept {
            in_file: file(&[
                ("cache", "cache", json!({})),
                ("logging", "logging", json!({})),
            ]),
            ..Kept::default()
        };
        Self {
            kept: Mutex::new(kept),
            hold: Hold::default(),
        }
    }

    /// One with some of everything.
    pub fn some() -> Self {
        let all = json!({});
        let kept = Kept {
            in_file: file(&[
                (
                    "cache",
                    "cache",
                    json!({"ttl_seconds": 3600, "overrides": [{"applies_to": {"models": ["gpt-4o*"]}, "ttl_seconds": 600}]}),
                ),
                (
                    "key",
                    "team-web",
                    json!({"owner": "Ada Lovelace", "tags": ["prod", "web"], "project": "storefront",
                    "rates": [{"requests": 600, "window_seconds": 60}],
                    "allowances": [{"cost_nanos": 250_000_000_000_i64, "period": "month"}],
                    "prefixes": [{"prefix": "gw-3fA9"}]}),
                ),
                (
                    "key",
                    "batch",
                    json!({"owner": "Grace Hopper", "models": ["gpt-4o-mini", "text-embedding-*"], "expires_at": "2027-01-31T00:00:00Z",
                    "prefixes": [{"prefix": "gw-Qk2b"}]}),
                ),
                (
                    "key",
                    "old-laptop",
                    json!({"enabled": false, "owner": "Ada Lovelace", "prefixes": [{"prefix": "gw-00xy"}]}),
                ),
                (
                    "project",
                    "storefront",
                    json!({"description": "The shop and its search", "providers": ["openai", "anthropic"],
                    "allowances": [{"cost_nanos": 500_000_000_000_i64, "period": "month"}]}),
                ),
                (
                    "limit",
                    "per-address",
                    json!({"per": "address", "rate": {"requests": 120, "window_seconds": 60}, "applies_to": all}),
                ),
                (
                    "limit",
                    "big-models",
                    json!({"per": "key", "applies_to": {"models": ["gpt-4o", "claude-*"]},
                    "rate": {"requests": 30, "tokens": 200_000, "window_seconds": 60, "algorithm": "token_bucket"}}),
                ),
                (
                    "budget",
                    "everything",
                    json!({"allowance": {"cost_nanos": 1_000_000_000_000_i64, "period": "month"}}),
                ),
                (
                    "budget",
                    "trial",
                    json!({"per": "key", "applies_to": {"projects": ["trial"]},
                    "allowance": {"requests": 1000, "tokens": 2_000_000, "period": "day", "alerts": [80, 100]}}),
                ),
                (
                    "system_prompt",
                    "default",
                    json!({"text": "You are the assistant of Example Corp. Today is {{date}}.\nAnswer in the language of the question."}),
                ),
                (
                    "system_prompt",
                    "shop",
                    json!({"text": "Prices are in euros & include <VAT>.", "order": 10, "applies_to": {"projects": ["storefront"]}}),
                ),
                (
                    "guardrail",
                    "no-secrets",
                    json!({"order": 10, "check": {"kind": "pii", "kinds": ["secret", "credit_card"]}, "action": {"kind": "redact"}}),
                ),
                (
                    "guardrail",
                    "banned-phrases",
                    json!({"order": 20, "check": {"kind": "phrases", "phrases": ["project titan", "internal only"], "whole_word": true},
                    "action": {"kind": "block"}}),
                ),
                (
                    "guardrail",
                    "injection",
                    json!({"order": 30, "side": "request", "shadow": true, "check": {"kind": "injection"}, "action": {"kind": "block", "message": "I cannot do that."}}),
                ),
                (
                    "guardrail",
                    "max-length",
                    json!({"order": 40, "side": "reply", "check": {"kind": "length", "max": 8000}, "action": {"kind": "truncate"}}),
                ),
                (
                    "guardrail",
                    "disclaimer",
                    json!({"order": 50, "enabled": false, "side": "reply", "check": {"kind": "disclaimer", "text": "Written by a machine."},
                    "action": {"kind": "append"}}),
                ),
            ]),
            cached: cached(),
            busy: true,
            ..Kept::default()
        };
        let policies = Self {
            kept: Mutex::new(kept),
            hold: Hold::default(),
        };
        policies.edited();
        policies
    }

    /// Tells nothing before it is let.
    #[allow(dead_code, reason = "tests hold it")]
    pub fn held(mut self, hold: Hold) -> Self {
        self.hold = hold;
        self
    }

    async fn told(&self) {
        if let Some(hold) = &self.hold.0 {
            hold().await;
        }
    }

    /// An edit that was made before.
    fn edited(&self) {
        let mut kept = self.kept();
        let key = (PolicyKind::SystemPrompt, "default".to_owned());
        let Some(Policy::SystemPrompt(before)) = kept.in_file.get(&key).cloned() else {
            return;
        };
        let versions = ["Be brief.", "Be brief, and never mention competitors."]
            .into_iter()
            .zip(1..)
            .map(|(more, version)| {
                let mut prompt = before.clone();
                prompt.text = format!("{}\n{more}", prompt.text);
                PolicyVersion {
                    version,
                    at: now() - TimeDelta::hours(30 - 10 * i64::try_from(version).unwrap_or(0)),
                    by: "admin".to_owned(),
                    reason: (version == 2).then(|| "legal asked for it".to_owned()),
                    policy: Some(Policy::SystemPrompt(prompt)),
                    reset: false,
                }
            })
            .collect();
        kept.edits.insert(key, versions);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn entry(&self, kind: PolicyKind, name: &str) -> Option<PolicyEntry> {
        let key = (kind, name.to_owned());
        let in_file = self.in_file.get(&key).cloned();
        let edits = self.edits.get(&key);
        let last = edits.and_then(|edits| edits.last());
        let version = edits.map_or(0, |edits| edits.len() as u64);
        let entry = |policy, source, in_file| PolicyEntry {
            name: name.to_owned(),
            policy,
            source,
            in_file,
            deleted: matches!(
                last,
                Some(PolicyVersion {
                    policy: None,
                    reset: false,
                    ..
                })
            ),
            version,
            changed_at: last.map(|last| last.at),
            changed_by: last.map(|last| last.by.clone()),
        };
        match last {
            Some(PolicyVersion {
                policy: Some(policy),
                ..
            }) => Some(entry(policy.clone(), Source::Edited, in_file)),
            Some(PolicyVersion { reset: false, .. }) => Some(entry(in_file?, Source::Edited, None)),
            _ => Some(entry(in_file?, Source::File, None)),
        }
    }

    fn entries(&self, kind: PolicyKind) -> Vec<PolicyEntry> {
        let mut names: Vec<_> = self
            .in_file
            .keys()
            .chain(self.edits.keys())
            .filter(|(one, _)| *one == kind)
            .map(|(_, name)| name.clone())
            .collect();
        names.sort();
        names.dedup();
        let mut entries: Vec<_> = names
            .iter()
            .filter_map(|name| self.entry(kind, name))
            .collect();
        entries.sort_by_key(|entry| match &entry.policy {
            Policy::Guardrail(rule) => rule.order,
            Policy::SystemPrompt(prompt) => prompt.order,
            _ => 0,
        });
        entries
    }

    fn change(
        &mut self,
        kind: PolicyKind,
        name: &str,
        policy: Option<Policy>,
        edit: Edit,
        reset: bool,
    ) -> Result<(), AdminError> {
        let before = self.entry(kind, name);
        if edit.new && before.is_some() {
            return Err(AdminError::Conflict {
                message: format!("There is a {} `{name}` already.", kind.label()),
            });
        }
        if let Some(seen) = edit.seen
            && before.is_some_and(|before| before.version != seen)
        {
            return Err(AdminError::Conflict {
                message: "Somebody has changed it since you looked: load it again.".to_owned(),
            });
        }
        let edits = self.edits.entry((kind, name.to_owned())).or_default();
        edits.push(PolicyVersion {
            version: edits.len() as u64 + 1,
            at: Utc::now(),
            by: edit.by,
            reason: edit.reason,
            policy,
            reset,
        });
        Ok(())
    }

    fn secret(&mut self, name: &str) -> (String, KeyPrefix) {
        self.secrets += 1;
        let secret = format!("gw-sample{:04}-of-{name}-not-a-real-one", self.secrets);
        let prefix = KeyPrefix {
            prefix: secret[..13].to_owned(),
            created_at: Some(Utc::now()),
            expires_at: None,
        };
        (secret, prefix)
    }

    fn new_key(&self, name: &str, secret: String) -> Result<NewKey, AdminError> {
        let entry = self.entry(PolicyKind::Key, name);
        Ok(NewKey {
            entry: entry.ok_or_else(|| missing(PolicyKind::Key, name))?,
            secret,
        })
    }
}

#[async_trait]
impl PolicyApi for Policies {
    async fn policies(&self, kind: PolicyKind) -> Result<Vec<PolicyEntry>, AdminError> {
        self.told().await;
        Ok(self.kept().entries(kind))
    }

    async fn policy(&self, kind: PolicyKind, name: &str) -> Result<PolicyEntry, AdminError> {
        self.told().await;
        let entry = self.kept().entry(kind, name);
        entry.ok_or_else(|| missing(kind, name))
    }

    async fn put_policy(
        &self,
        name: &str,
        policy: Policy,
        edit: Edit,
    ) -> Result<PolicyEntry, AdminError> {
        check(name, &policy)?;
        let kind = policy.kind();
        let mut kept = self.kept();
        if let Policy::Key(_) = policy
            && kept.entry(kind, name).is_none()
        {
            return Err(missing(kind, name));
        }
        let policy = keeping_prefixes(&kept, name, policy);
        kept.change(kind, name, Some(policy), edit, false)?;
        kept.entry(kind, name).ok_or_else(|| missing(kind, name))
    }

    async fn delete_policy(
        &self,
        kind: PolicyKind,
        name: &str,
        edit: Edit,
    ) -> Result<(), AdminError> {
        let mut kept = self.kept();
        if kept.entry(kind, name).is_none() {
            return Err(missing(kind, name));
        }
        kept.change(kind, name, None, edit, false)
    }

    async fn reset_policy(
        &self,
        kind: PolicyKind,
        name: &str,
        edit: Edit,
    ) -> Result<Option<PolicyEntry>, AdminError> {
        let mut kept = self.kept();
        kept.change(kind, name, None, edit, true)?;
        Ok(kept.entry(kind, name))
    }

    async fn policy_versions(
        &self,
        kind: PolicyKind,
        name: &str,
    ) -> Result<Vec<PolicyVersion>, AdminError> {
        let kept = self.kept();
        let versions = kept.edits.get(&(kind, name.to_owned()));
        let mut versions = versions.cloned().unwrap_or_default();
        versions.reverse();
        Ok(versions)
    }

    async fn restore_policy(
        &self,
        kind: PolicyKind,
        name: &str,
        version: u64,
        edit: Edit,
    ) -> Result<Option<PolicyEntry>, AdminError> {
        let versions = self.policy_versions(kind, name).await?;
        let then = versions.into_iter().find(|one| one.version == version);
        let then = then.ok_or_else(|| missing(kind, name))?;
        match then.policy {
            Some(policy) => self.put_policy(name, policy, edit).await.map(Some),
            None if then.reset => self.reset_policy(kind, name, edit).await,
            None => self.delete_policy(kind, name, edit).await.map(|()| None),
        }
    }

    async fn change_logging(
        &self,
        change: LoggingChange,
        edit: Edit,
    ) -> Result<PolicyEntry, AdminError> {
        let kind = PolicyKind::Logging;
        let name = kind.as_str();
        let Policy::Logging(mut log) = self.policy(kind, name).await?.policy else {
            return Err(missing(kind, name));
        };
        log.level = change.level.unwrap_or(log.level);
        log.format = change.format.unwrap_or(log.format);
        self.put_policy(name, Policy::Logging(log), edit).await
    }

    async fn delete_former_secrets(
        &self,
        kind: PolicyKind,
        name: &str,
        _: Edit,
    ) -> Result<u64, AdminError> {
        Err(missing(kind, name))
    }

    async fn create_key(
        &self,
        name: &str,
        key: ClientKey,
        edit: Edit,
    ) -> Result<NewKey, AdminError> {
        check(name, &Policy::Key(key.clone()))?;
        let mut kept = self.kept();
        let (secret, prefix) = kept.secret(name);
        let key = ClientKey {
            prefixes: vec![prefix],
            ..key
        };
        kept.change(
            PolicyKind::Key,
            name,
            Some(Policy::Key(key)),
            Edit { new: true, ..edit },
            false,
        )?;
        kept.new_key(name, secret)
    }

    async fn rotate_key(
        &self,
        name: &str,
        grace_seconds: u64,
        edit: Edit,
    ) -> Result<NewKey, AdminError> {
        let mut kept = self.kept();
        let Some(PolicyEntry {
            policy: Policy::Key(mut key),
            ..
        }) = kept.entry(PolicyKind::Key, name)
        else {
            return Err(missing(PolicyKind::Key, name));
        };
        let (secret, prefix) = kept.secret(name);
        let until = Utc::now() + TimeDelta::seconds(i64::try_from(grace_seconds).unwrap_or(0));
        for old in &mut key.prefixes {
            old.expires_at = Some(until);
        }
        key.prefixes.insert(0, prefix);
        let policy = Some(Policy::Key(key));
        kept.change(PolicyKind::Key, name, policy, edit, false)?;
        kept.new_key(name, secret)
    }

    async fn test_guardrails(&self, text: TestedText) -> Result<TestReport, AdminError> {
        let mut rules: Vec<_> = self
            .kept()
            .entries(PolicyKind::Guardrail)
            .into_iter()
            .filter_map(|entry| match entry.policy {
                Policy::Guardrail(rule) => Some((entry.name, rule)),
                _ => None,
            })
            .collect();
        if let Some(rule) = text.rule {
            let name = text.name.unwrap_or_else(|| "(new)".to_owned());
            rules.retain(|(other, _)| *other != name);
            rules.push((name, *rule));
        }
        rules.sort_by(|(name, rule), (other_name, other)| {
            (rule.order, name).cmp(&(other.order, other_name))
        });
        let mut report = TestReport {
            text: Some(text.text),
            refusal: None,
            rules: Vec::new(),
        };
        for (name, rule) in rules {
            let verdict = match &mut report.text {
                Some(text) if rule.enabled => judge(&rule.check, &rule.action, rule.shadow, text),
                _ => (RuleVerdict::Skipped, Vec::new()),
            };
            if verdict.0 == RuleVerdict::Blocked && !rule.shadow {
                report.text = None;
                report.refusal = Some(match rule.action {
                    Action::Block {
                        message: Some(text),
                    } => text,
                    _ => format!("400 content_policy_violation: guardrail `{name}`"),
                });
            }
            report.rules.push(RuleTest {
                name,
                shadow: rule.shadow,
                verdict: verdict.0,
                found: verdict.1,
            });
        }
        Ok(report)
    }

    async fn limit_states(&self, limit: usize) -> Result<Vec<LimitState>, AdminError> {
        self.told().await;
        if !self.kept().busy {
            return Ok(Vec::new());
        }
        let state = |name: &str, per, subject: &str, requests, used, refused| LimitState {
            limit: name.to_owned(),
            per,
            subject: Some(subject.to_owned()),
            rate: Rate {
                requests: Some(requests),
                window_seconds: 60,
                ..Rate::default()
            },
            requests_used: used,
            tokens_used: used * 900,
            resets_at: now() + TimeDelta::seconds(41),
            refused,
        };
        let mut states = vec![
            state("per-address", Per::Address, "203.0.113.7", 120, 120, 14),
            state("big-models", Per::Key, "team-web", 30, 24, 0),
            state("key team-web", Per::Key, "team-web", 600, 212, 0),
            state("per-address", Per::Address, "2001:db8::17", 120, 9, 0),
        ];
        states.truncate(limit);
        Ok(states)
    }

    async fn budget_states(&self, limit: usize) -> Result<Vec<BudgetState>, AdminError> {
        self.told().await;
        if !self.kept().busy {
            return Ok(Vec::new());
        }
        let state = |name: &str, subject: Option<&str>, dollars: i64, spent: i64| BudgetState {
            budget: name.to_owned(),
            per: Per::All,
            subject: subject.map(str::to_owned),
            allowance: Allowance {
                cost_nanos: Some(CostNanos(dollars * 1_000_000_000)),
                period: Period::Month,
                ..Allowance::default()
            },
            requests_used: 8_123,
            tokens_used: 12_345_678,
            spent_nanos: CostNanos(spent * 10_000_000),
            reserved_nanos: CostNanos(120_000_000),
            uncertain_nanos: CostNanos(0),
            period_started_at: Some(now() - TimeDelta::days(11)),
            resets_at: Some(now() + TimeDelta::days(19)),
            refused: 0,
        };
        let mut states = vec![
            state("project storefront", Some("storefront"), 500, 46_120),
            state("key team-web", Some("team-web"), 250, 20_311),
            state("everything", None, 1_000, 61_204),
        ];
        states.truncate(limit);
        Ok(states)
    }

    async fn cache_entries(
        &self,
        selection: CacheSelection,
        limit: usize,
    ) -> Result<Vec<CacheEntry>, AdminError> {
        let kept = self.kept();
        let chosen = kept
            .cached
            .iter()
            .filter(|entry| is_meant(entry, &selection));
        Ok(chosen.take(limit).cloned().collect())
    }

    async fn clear_cache(&self, selection: CacheSelection) -> Result<u64, AdminError> {
        let mut kept = self.kept();
        let before = kept.cached.len();
        kept.cached.retain(|entry| !is_meant(entry, &selection));
        Ok((before - kept.cached.len()) as u64)
    }

    async fn configuration(&self) -> Result<Vec<shared::policies::ConfiguredKey>, AdminError> {
        Ok(Vec::new())
    }

    async fn policy_stats(&self) -> Result<PolicyStats, AdminError> {
        self.told().await;
        let kept = self.kept();
        let busy = u64::from(kept.busy);
        Ok(PolicyStats {
            cache: CacheStats {
                entries: kept.cached.len() as u64,
                bytes: kept.cached.iter().map(|entry| entry.bytes).sum(),
                hits: 1_714 * busy,
                misses: 22_480 * busy,
                bypasses: 311 * busy,
                coalesced: 96 * busy,
                saved_tokens: 2_310_554 * busy,
                saved_nanos: CostNanos(3_214_000_000 * i64::from(kept.busy)),
            },
            guardrails: if kept.busy {
                vec![
                    triggered("no-secrets", false, 0, 181, 0),
                    triggered("banned-phrases", false, 0, 0, 12),
                    triggered("injection", true, 0, 0, 7),
                    triggered("max-length", false, 0, 33, 0),
                ]
            } else {
                Vec::new()
            },
        })
    }
}

fn file(policies: &[(&str, &str, serde_json::Value)]) -> BTreeMap<(PolicyKind, String), Policy> {
    policies
        .iter()
        .map(|(kind, name, value)| {
            let kind = PolicyKind::from_name(kind).expect("a kind of policy");
            let policy = Policy::from_json(kind, &value.to_string()).expect("a policy");
            ((kind, (*name).to_owned()), policy)
        })
        .collect()
}

fn missing(kind: PolicyKind, name: &str) -> AdminError {
    AdminError::NotFound {
        message: format!("There is no {} `{name}`.", kind.label()),
    }
}

/// A little of what the gateway checks: enough to see errors at their fields.
fn check(name: &str, policy: &Policy) -> Result<(), AdminError> {
    let mut fields = Vec::new();
    let mut wrong = |field: &str, message: &str| {
        fields.push(FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    if !name
        .chars()
        .all(|letter| letter.is_alphanumeric() || "-_.".contains(letter))
    {
        wrong(
            "name",
            "A name has letters, digits, dots, dashes and underscores.",
        );
    }
    match policy {
        Policy::SystemPrompt(prompt) if prompt.text.trim().is_empty() => {
            wrong("text", "A prompt has a text.");
        }
        Policy::Limit(limit) if limit.rate.requests.is_none() && limit.rate.tokens.is_none() => {
            wrong("rate", "Give a number of requests or of tokens.");
        }
        Policy::Budget(budget) => {
            let allowance = &budget.allowance;
            if (allowance.requests, allowance.tokens, allowance.cost_nanos) == (None, None, None) {
                wrong("allowance", "Give an amount of money, requests or tokens.");
            }
        }
        Policy::Guardrail(rule) => match &rule.check {
            Check::Phrases { phrases, .. } if phrases.is_empty() => {
                wrong("check.phrases", "Give a phrase.");
            }
            Check::Patterns { patterns } => {
                for (index, pattern) in patterns.iter().enumerate() {
                    if pattern.matches('(').count() != pattern.matches(')').count() {
                        wrong(
                            &format!("check.patterns[{index}]"),
                            "A bracket is not closed.",
                        );
                    }
                }
            }
            _ => {}
        },
        _ => {}
    }
    if fields.is_empty() {
        return Ok(());
    }
    Err(AdminError::Invalid {
        message: format!("This {} cannot be used.", policy.kind().label()),
        fields,
    })
}

/// What a key's secrets begin with is not the editor's to say.
fn keeping_prefixes(kept: &Kept, name: &str, policy: Policy) -> Policy {
    match (policy, kept.entry(PolicyKind::Key, name)) {
        (
            Policy::Key(mut key),
            Some(PolicyEntry {
                policy: Policy::Key(before),
                ..
            }),
        ) => {
            key.prefixes = before.prefixes;
            Policy::Key(key)
        }
        (policy, _) => policy,
    }
}

fn judge(
    check: &Check,
    action: &Action,
    shadow: bool,
    text: &mut String,
) -> (RuleVerdict, Vec<String>) {
    let found: Vec<_> = match check {
        Check::Phrases { phrases, .. } => {
            let lower = text.to_lowercase();
            let places = phrases.iter().filter_map(|phrase| {
                let at = lower.find(&phrase.to_lowercase())?;
                Some((at, at + phrase.len()))
            });
            places.collect()
        }
        Check::Length { max: Some(max), .. } => {
            let most = usize::try_from(*max).unwrap_or(usize::MAX);
            text.char_indices()
                .nth(most)
                .map(|(at, _)| (at, text.len()))
                .into_iter()
                .collect()
        }
        Check::Pii { .. } => text
            .find("sk-")
            .map(|at| {
                let rest = &text[at..];
                (
                    at,
                    at + rest.find(char::is_whitespace).unwrap_or(rest.len()),
                )
            })
            .into_iter()
            .collect(),
        _ => Vec::new(),
    };
    if found.is_empty() {
        return (RuleVerdict::Passed, Vec::new());
    }
    let verdict = match action {
        Action::Block { .. } => RuleVerdict::Blocked,
        Action::Flag => RuleVerdict::Flagged,
        _ => RuleVerdict::Changed,
    };
    if verdict == RuleVerdict::Changed && !shadow {
        for (from, to) in found.iter().rev() {
            let with = match action {
                Action::Redact => "[REDACTED]",
                Action::Replace { with } => with,
                _ => "",
            };
            text.replace_range(from..to, with);
        }
    }
    let found = found.iter().map(|(from, to)| format!("at {from}..{to}"));
    (verdict, found.collect())
}

fn triggered(rule: &str, shadow: bool, flagged: u64, changed: u64, blocked: u64) -> Triggered {
    Triggered {
        rule: rule.to_owned(),
        shadow,
        flagged,
        changed,
        blocked,
        failed: 0,
    }
}

fn is_meant(entry: &CacheEntry, selection: &CacheSelection) -> bool {
    selection.id.as_ref().is_none_or(|id| *id == entry.id)
        && selection
            .model
            .as_ref()
            .is_none_or(|model| *model == entry.model)
        && (selection.key.is_none() || selection.key == entry.key)
}

fn cached() -> Vec<CacheEntry> {
    let models = ["gpt-4o-mini", "claude-sonnet-4-5", "gpt-4o"];
    (0..14_u32)
        .map(|index| CacheEntry {
            id: format!(
                "{:016x}",
                u64::from(index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ),
            model: models[index as usize % 3].to_owned(),
            key: (!index.is_multiple_of(4)).then(|| "team-web".to_owned()),
            project: None,
            stored_at: now() - TimeDelta::minutes(i64::from(index) * 4),
            expires_at: now() + TimeDelta::minutes(60 - i64::from(index) * 4),
            bytes: 1_900 + u64::from(index) * 733,
            hits: u64::from((index * 7) % 5),
            tokens: 410 + u64::from(index) * 21,
            cost_nanos: Some(CostNanos(1_900_000 + i64::from(index) * 100_000)),
        })
        .collect()
}

/// A Saturday afternoon.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_270_925, 0).expect("a valid time")
}
