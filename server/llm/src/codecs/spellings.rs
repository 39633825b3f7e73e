//! How services spell what went wrong, for all protocols: words for programs, and sentences where there is no word.
//!
//! Each row is here because a service writes so; who does, and where that can be read, is in `tests/data/errors.json`,
//! which has an example of every word and sentence.

use crate::error::ErrorKind::{self, *};

use super::failure::by_status;

/// What an error is, by what it says of itself: by a word of `words` (code, then type) that says enough, by a sentence,
/// by a word that says little, and by the status alone.
pub(super) fn kind_of(status: Option<u16>, words: &[Option<&str>], message: &str) -> ErrorKind {
    let find = |table: &[(ErrorKind, &[&str])]| {
        let mut said = words.iter().flatten();
        said.find_map(|word| {
            let row = table.iter().find(|(_, spellings)| spellings.contains(word));
            row.map(|(kind, _)| *kind)
        })
    };
    find(EXACT)
        .or_else(|| by_message(status, message))
        .or_else(|| find(VAGUE))
        .unwrap_or_else(|| by_status(status))
}

/// What a sentence says, whatever the case of its letters.
pub(super) fn by_message(status: Option<u16>, message: &str) -> Option<ErrorKind> {
    let message = message.to_ascii_lowercase();
    let row = SENTENCES.iter().find(|row| {
        let fits =
            status.is_none_or(|status| row.statuses.is_empty() || row.statuses.contains(&status));
        fits && row.says.iter().any(|phrase| message.contains(phrase))
    });
    row.map(|row| row.kind)
}

/// Words that say all.
const EXACT: &[(ErrorKind, &[&str])] = &[
    (
        QuotaExceeded,
        &[
            "Arrearage",
            "BILLING_DISABLED",
            "billing_error",
            "billing_hard_limit_reached",
            "billing_not_active",
            "blocked_api_access",
            "credit_limit",
            "exceeded_current_quota_error",
            "insufficient_quota",
            "payment_required",
            "QUOTA_EXHAUSTED",
        ],
    ),
    (
        ContextLengthExceeded,
        &["context_length_exceeded", "exceed_context_size_error"],
    ),
    (
        ContentFiltered,
        &[
            "content_filter",
            "content_policy_violation",
            "data_inspection_failed",
            "moderation_blocked",
            "ResponsibleAIPolicyViolation",
        ],
    ),
    (
        Authentication,
        &[
            "API_KEY_EXPIRED",
            "API_KEY_INVALID",
            "authentication_error",
            "invalid_api_key",
            "UNAUTHENTICATED",
            "wrong_api_key",
        ],
    ),
    (PermissionDenied, &["unsupported_country_region_territory"]),
    (
        NotFound,
        &[
            "DeploymentNotFound",
            "invalid_model",
            "model_decommissioned",
            "model_not_available",
            "model_not_found",
            "model_not_supported",
        ],
    ),
    (
        Overloaded,
        &[
            "capacity_exceeded",
            "engine_overloaded_error",
            "MODEL_CAPACITY_EXHAUSTED",
            "overloaded",
            "overloaded_error",
            "queue_exceeded",
            "service_unavailable",
            "slow_down",
            "UNAVAILABLE",
            "unavailable_error",
        ],
    ),
    (Timeout, &["DEADLINE_EXCEEDED", "timeout_error"]),
];

/// Words that are used for other things, too: a sentence that says more goes before them.
const VAGUE: &[(ErrorKind, &[&str])] = &[
    (
        RateLimited,
        &[
            "RESOURCE_EXHAUSTED",
            "rate_limit_error",
            "rate_limit_exceeded",
            "rate_limited",
            "RateLimitReached",
            "service_tier_capacity_exceeded",
            "too_many_requests_error",
        ],
    ),
    (RequestTooLarge, &["request_too_large"]),
    (
        PermissionDenied,
        &["PERMISSION_DENIED", "permission_denied", "permission_error"],
    ),
    (NotFound, &["NOT_FOUND", "NotFoundError", "not_found_error"]),
    (
        UpstreamFailed,
        &[
            "ABORTED",
            "CANCELLED",
            "DATA_LOSS",
            "INTERNAL",
            "UNKNOWN",
            "api_error",
        ],
    ),
    (
        InvalidRequest,
        &["FAILED_PRECONDITION", "INVALID_ARGUMENT", "OUT_OF_RANGE"],
    ),
];

/// Sentences of one kind.
struct Sentences {
    kind: ErrorKind,
    /// What they come with; empty: anything. An error inside a reply has none, and may be of any kind.
    statuses: &'static [u16],
    /// In small letters; one is enough.
    says: &'static [&'static str],
}

/// The first that fits counts.
const SENTENCES: &[Sentences] = &[
    Sentences {
        kind: Authentication,
        statuses: &[400, 401, 403],
        says: &[
            "api key expired",
            "api key not valid",
            "api key was reported as leaked",
            "doesn't allow unregistered callers",
            "incorrect api key provided",
            "invalid api token",
            "invalid x-api-key",
        ],
    },
    // How many were asked for, not how many were sent.
    Sentences {
        kind: InvalidRequest,
        statuses: &[400, 422],
        says: &["max tokens must be"],
    },
    Sentences {
        kind: ContextLengthExceeded,
        statuses: &[400, 413, 422, 500],
        says: &[
            "context window",
            "context length",
            "context limit",
            "context size",
            "exceeded model token limit",
            "exceeds the maximum number of tokens",
            "`inputs` must have less than",
            "`inputs` tokens + `max_new_tokens` must be",
            "input is too long",
            "longer than the maximum model length",
            "maximum prompt length",
            "prompt is too long",
            "prompt too long",
            "reduce the length of the messages",
            "too many input tokens",
            "too many tokens",
        ],
    },
    Sentences {
        kind: QuotaExceeded,
        statuses: &[400, 401, 402, 403, 412, 429],
        says: &[
            "add or update your payment method",
            "cloud credits expired",
            "credit balance is too low",
            "credit limit exceeded",
            "credits are depleted",
            "doesn't have any credits",
            "exceeded your monthly included credits",
            "free-models-per-day",
            "insufficient balance",
            "insufficient credits",
            "insufficient_quota",
            "key limit exceeded",
            "limited to 1000 api calls / month",
            "monthly spending cap",
            "monthly spending limit",
            "out of extra usage",
            "quota will reset after",
            "reached your specified api usage limits",
            "requires billing to be enabled",
            "requires more credits",
            "spend alert limit",
            "usage limit",
        ],
    },
    Sentences {
        kind: ContentFiltered,
        statuses: &[400, 403],
        says: &[
            "considered high risk",
            "content exists risk",
            "content filtering policy",
            "content management policy",
            "content violates usage guidelines",
            "flagged as potentially violating",
            "input was flagged for",
        ],
    },
    Sentences {
        kind: PermissionDenied,
        statuses: &[400],
        says: &["location is not supported"],
    },
    Sentences {
        kind: NotFound,
        statuses: &[400, 404],
        says: &[
            "invalid model",
            "is not a valid model id",
            "model not exist",
        ],
    },
    Sentences {
        kind: Overloaded,
        statuses: &[429, 500, 502, 503],
        says: &[
            "currently overloaded",
            "experiencing high demand",
            "loading model",
            "model is overloaded",
            "no capacity available",
            "requires more system memory",
            "server busy",
            "we're experiencing high traffic",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// A spelling that nobody is known to use is a guess.
    #[test]
    fn each_has_an_example() {
        let rows: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../../tests/data/errors.json")).unwrap();
        let bodies: Vec<String> = rows.iter().map(|row| row["body"].to_string()).collect();
        for (_, words) in EXACT.iter().chain(VAGUE) {
            for word in *words {
                let quoted = format!("\"{word}\"");
                assert!(bodies.iter().any(|body| body.contains(&quoted)), "{word}");
            }
        }
        for row in SENTENCES {
            for phrase in row.says {
                assert_eq!(*phrase, phrase.to_ascii_lowercase());
                let said = |body: &String| body.to_ascii_lowercase().contains(phrase);
                assert!(bodies.iter().any(said), "{phrase}");
            }
        }
    }
}
