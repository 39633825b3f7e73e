//! What operators have changed, as a list that proves itself whole.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::AdminError;

/// The part of [`AdminApi`](crate::AdminApi) that is about the audit log.
#[async_trait]
pub trait AuditApi: Send + Sync + 'static {
    /// Changes, the latest first.
    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, AdminError>;

    /// Whether the log is what was written. `includes`: a hash that was noted earlier, in hex; the log must have it.
    async fn verify_audit(&self, includes: Option<String>) -> Result<ChainReport, AdminError>;
}

/// Which changes. What is absent matches all.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AuditQuery {
    /// `limit`, `guardrail`, `user`, …
    pub kind: Option<String>,
    pub name: Option<String>,
    /// Who made them.
    pub by: Option<String>,
    /// Not before this time.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
    /// The `seq` of the last one that is known already.
    pub after: Option<u64>,
    /// At most so many: 1 to 1000.
    pub limit: Option<usize>,
}

/// A part of the log.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// Goes into `after` for those that follow; `None`: there are none.
    pub next: Option<u64>,
}

/// One change.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditEntry {
    /// 1, 2, … of all changes.
    pub seq: u64,
    pub kind: String,
    pub name: String,
    /// 1, 2, … of its kind and name.
    pub version: u64,
    pub what: ChangeKind,
    /// Why it is unreadable: somebody else than the gateway wrote or altered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub by: String,
    pub at: DateTime<Utc>,
    /// What became of each field since the version before.
    pub diff: Vec<FieldChange>,
    /// SHA-256 of the entry and of all before it, in hex.
    pub hash: String,
}

/// What a change did.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A value was put in force.
    Put,
    Delete,
    /// All edits were taken back: what the configuration says holds.
    Reset,
    /// Nobody knows: it is none of these, as `problem` says.
    Unreadable,
}

/// What became of a field.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldChange {
    /// `rate.requests`, `patterns[2]`; empty: the whole value.
    pub field: String,
    /// Absent: it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Absent: it is not there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Whether the audit log is what was written.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChainReport {
    pub intact: bool,
    /// How many there are.
    pub entries: u64,
    /// Of the last one, in hex. Who notes it elsewhere can ask later whether the log still has it.
    pub last_hash: Option<String>,
    /// What is wrong, by place; at most 100.
    pub problems: Vec<ChainProblem>,
}

/// One thing that is wrong with the chain.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChainProblem {
    pub kind: ChainProblemKind,
    /// The first entry that it is about; `None`: the whole.
    pub seq: Option<u64>,
    /// What is wrong, and with which entry.
    pub message: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChainProblemKind {
    /// The entry, or its place, is not what was written.
    Altered,
    /// Entries are gone from the middle or the beginning.
    Missing,
    /// Entries are gone from the end.
    CutOff,
    /// A hash that was noted earlier is not there.
    NotIncluded,
}
