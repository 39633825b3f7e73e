//! What operators decide about traffic, as the scenario about it has it.

use std::fmt::Write as _;

/// All is as it is by default.
pub const DEFAULT: &str = "";

/// Answers are not kept.
pub const NO_CACHE: &str = "[cache]\nenabled = false\n";

/// Answers are looked for, and none of those that come is small enough to be kept.
pub const LOOK_UP_ALONE: &str = "[cache]\nmax_entry_size = 1\n";

/// Beside [`all`] so many keys and guardrails that the whole has 10,000 keys and 1,000 rules.
pub fn many() -> String {
    let mut config = all();
    for i in 1..10_000 {
        let _ = write!(
            config,
            "\n[[keys]]\nname = \"key-{i}\"\nkey = \"sk-client-{i:05}\"\n"
        );
    }
    for i in 10..1000 {
        let _ = write!(
            config,
            "\n[[guardrails]]\nname = \"phrases-{i}\"\n\
             check = {{ kind = \"phrases\", phrases = [\"codename {i:04}\"] }}\n\
             action = {{ kind = \"block\" }}\n"
        );
    }
    config
}

/// A key, three rate limits, a budget, a system prompt, ten guardrails, and the cache: none of them ever has to act.
pub fn all() -> String {
    let mut config = r#"
[[keys]]
name = "bench"
key = "sk-client"
limits = [{ requests = 1000000000, window = "1m" }]

[[prices]]
model = "unary"
input = 0.15
output = 0.6

[[limits]]
name = "all"
requests = 1000000000
window = "1m"

[[limits]]
name = "per-address"
per = "address"
tokens = 1000000000000
window = "1h"

[[budgets]]
name = "money"
dollars = 1000000.0
period = "month"

[system_prompt]
text = "You are polite, and say so where you are not sure."

[[guardrails]]
name = "personal-data"
check = { kind = "pii" }
action = { kind = "redact" }

[[guardrails]]
name = "injection"
side = "request"
check = { kind = "injection" }
action = { kind = "block" }

[[guardrails]]
name = "length"
check = { kind = "length", max = 1000000 }
action = { kind = "truncate" }

[[guardrails]]
name = "tickets"
check = { kind = "patterns", patterns = ["TICKET-[0-9]{6,}", "(?i)project\\s+nightingale"] }
action = { kind = "replace", with = "[internal]" }
"#
    .to_owned();
    for (i, phrases) in [
        ["forbidden fruit", "golden apple"],
        ["perpetual motion", "free energy"],
        ["lottery numbers", "horse race tip"],
        ["miracle cure", "snake oil"],
        ["pyramid scheme", "get rich quick"],
        ["secret handshake", "inner circle"],
    ]
    .iter()
    .enumerate()
    {
        let _ = write!(
            config,
            "\n[[guardrails]]\nname = \"phrases-{i}\"\n\
             check = {{ kind = \"phrases\", phrases = {phrases:?} }}\n\
             action = {{ kind = \"block\" }}\n"
        );
    }
    config
}
