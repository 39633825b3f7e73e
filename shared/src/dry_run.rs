//! What would become of a client's request, without anything being sent, counted, reserved or recorded.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::policies::{BudgetState, Per, Rate, RuleVerdict};
use crate::routing::TargetState;
use crate::{AdminError, CostNanos};

/// A chat request as a client would send it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DryRunRequest {
    /// Where clients speak some dialect: `/v1/chat/completions`, `/v1/messages`,
    /// `/v1beta/models/NAME:streamGenerateContent?alt=sse`, or a path of the operator's own.
    pub path: String,
    /// `x-llm-provider`, `x-gateway-strict`, `cache-control` and whatever conditions look at. Credentials are passed
    /// over: `key` says who calls.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The name of the client key that it would be made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The address that it would come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// As JSON, or as the text of it where each byte matters.
    pub body: serde_json::Value,
}

/// What would become of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DryRun {
    pub outcome: DryRunOutcome,
    /// What the client would be told instead of an answer.
    pub refusal: Option<DryRunRefusal>,
    /// What the client speaks: `openai_chat`, `anthropic`.
    pub dialect: String,
    pub model: Option<String>,
    pub stream: bool,
    pub key: Option<String>,
    pub project: Option<String>,
    /// The rates that hold for it.
    pub limits: Vec<LimitOutlook>,
    /// The quotas and budgets that it would count against.
    pub budgets: Vec<BudgetState>,
    /// What rules would do about the request. Those that ask a model or another service are not asked.
    pub guardrails: Vec<RuleOutlook>,
    /// What the operator tells the model, after what the client says. What comes before, or instead of, is in the
    /// upstream's request.
    pub system_prompt: Option<String>,
    pub cache: CacheOutlook,
    /// Who would be asked, in this order, one after another until one answers.
    pub targets: Vec<TargetOutlook>,
}

/// How far it would come.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DryRunOutcome {
    /// The first target that fits is asked.
    #[default]
    Sent,
    /// It is answered out of the cache.
    Cached,
    /// A guardrail answers in the model's place.
    Answered,
    Refused,
}

/// Why a request would be refused.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DryRunRefusal {
    pub status: u16,
    /// The kind of the error, as the request log has it.
    pub kind: String,
    pub code: Option<String>,
    pub message: String,
}

/// How it stands with a rate.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LimitOutlook {
    /// The limit's name; `key NAME` or `project NAME` where it is theirs.
    pub limit: String,
    pub per: Per,
    pub rate: Rate,
    pub requests_used: u64,
    pub tokens_used: u64,
    /// What the client would be told; `None`: there is room.
    pub refuses: Option<String>,
}

/// What a guardrail would do.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleOutlook {
    pub rule: String,
    pub verdict: RuleVerdict,
    pub shadow: bool,
}

/// What the cache would say.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CacheOutlook {
    /// It would not be asked.
    #[default]
    Bypass,
    Hit,
    Miss,
}

/// A target that would be asked.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetOutlook {
    pub provider: String,
    /// The upstream's name of the model.
    pub model: String,
    pub state: TargetState,
    /// Why it comes late, if it is in trouble.
    pub reason: Option<String>,
    /// Why this request cannot be put to it; `None`: it can.
    pub unfit: Option<DryRunRefusal>,
    /// What the upstream is not told, and what is emulated.
    pub dropped: Vec<String>,
    pub emulated: Vec<String>,
    /// What its tokens cost, billionths of a US dollar for a million; `None`: unknown.
    pub input_price: Option<u64>,
    pub output_price: Option<u64>,
    /// The most that the call can use, as budgets would hold it.
    pub at_most_tokens: u64,
    pub at_most_nanos: Option<CostNanos>,
    /// What would be sent.
    pub request: Option<UpstreamRequest>,
}

/// A request to an upstream, to the byte but for secrets.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpstreamRequest {
    pub method: String,
    pub url: String,
    /// Values that are secret are masked.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// The part of [`AdminApi`](crate::AdminApi) that tries requests out.
#[async_trait]
pub trait DryRunApi: Send + Sync + 'static {
    /// What would become of a client's request.
    async fn dry_run(&self, request: DryRunRequest) -> Result<DryRun, AdminError>;
}
