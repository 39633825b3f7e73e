//! What may be asked, and what may be answered.

use serde::{Deserialize, Serialize};

use super::Selector;

/// One rule. Rules act in the order of `order`, then of their names.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Guardrail {
    #[serde(default = "super::limit::yes")]
    pub enabled: bool,
    #[serde(default)]
    pub order: i32,
    #[serde(default)]
    pub applies_to: Selector,
    #[serde(default)]
    pub side: Side,
    /// Reports and counts what it would do, and does nothing.
    #[serde(default)]
    pub shadow: bool,
    pub check: Check,
    pub action: Action,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    #[default]
    Both,
    Request,
    Reply,
}

/// What a rule looks for.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    /// One of these, whatever the case (Unicode's simple case folding).
    Phrases {
        phrases: Vec<String>,
        /// Only where no letter, digit or underscore stands beside it.
        #[serde(default)]
        whole_word: bool,
    },
    /// A match of one of these regular expressions (the `regex` crate's syntax, linear time).
    Patterns { patterns: Vec<String> },
    /// Characters (Unicode scalar values) of the text, on the request's side of the latest user message.
    Length {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<u64>,
    },
    /// A reply in which this text is missing.
    Disclaimer { text: String },
    /// Personal data. Empty: every kind.
    Pii {
        #[serde(default)]
        kinds: Vec<PiiKind>,
    },
    /// Signs of an attempt to override the instructions; `threshold` from 1 (any sign) to 10.
    Injection {
        #[serde(default = "usual_threshold")]
        threshold: u8,
    },
    /// A reply that is not JSON of this schema.
    JsonSchema { schema: serde_json::Value },
    /// What a moderation model of a provider flags.
    Moderation {
        /// The name that clients would ask for at `/v1/moderations`.
        model: String,
        /// Empty: whatever is flagged. Else only these categories.
        #[serde(default)]
        categories: Vec<String>,
        /// What happens when it does not answer.
        #[serde(default)]
        fail_open: bool,
    },
    /// What an HTTP service of the operator's says: it gets `{"side", "text", "key", "model"}` and answers
    /// `{"flagged": bool, "reason"?: string, "text"?: string}`, the text being what to put in its place.
    Webhook {
        url: String,
        #[serde(default = "usual_timeout")]
        timeout_ms: u64,
        #[serde(default)]
        fail_open: bool,
    },
}

/// Personal data that can be told from other text.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PiiKind {
    Email,
    Phone,
    /// 13 to 19 digits with a right check digit (Luhn).
    CreditCard,
    /// With right check digits (ISO 7064).
    Iban,
    UsSsn,
    IpAddress,
    /// API keys and tokens of well-known shapes, and private keys.
    Secret,
}

/// What a rule does.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Refuses with 400 `content_policy_violation`; or, with a `message`, answers with it as if the model had declined.
    Block {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Puts `[REDACTED]`, or what kind of thing it was, in its place.
    Redact,
    /// Puts this text in its place.
    Replace { with: String },
    /// Cuts off what is too long.
    Truncate,
    /// Adds what is missing.
    Append,
    /// Records it, and nothing else.
    Flag,
}

fn usual_threshold() -> u8 {
    5
}

fn usual_timeout() -> u64 {
    2000
}

/// A text to try the rules on.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TestedText {
    pub text: String,
    pub side: Side,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A rule that is not in force, tried among the others where its `order` puts it, also where it is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<Guardrail>>,
    /// What that is called: it is tried in place of the one of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What became of a text.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TestReport {
    /// What would go on; `None`: it is blocked.
    pub text: Option<String>,
    /// What the client would be told instead.
    pub refusal: Option<String>,
    pub rules: Vec<RuleTest>,
}

/// What one rule does.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleTest {
    pub name: String,
    pub shadow: bool,
    pub verdict: RuleVerdict,
    /// What was found, without the text itself: `credit_card at 12..31`.
    pub found: Vec<String>,
}

/// What a rule says of a text.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuleVerdict {
    /// Nothing was found.
    Passed,
    Flagged,
    Changed,
    Blocked,
    /// It does not hold for such requests, or an earlier rule blocked.
    Skipped,
    /// It could not be asked.
    Failed,
}
