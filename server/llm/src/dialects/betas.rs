//! Features in preview that a client asks for in a header.
//!
//! Most of them open a field of the body, or are about how the provider's own service answers: those ask for nothing
//! by themselves, and an upstream of another protocol loses nothing with them; the field, where it is used, is named
//! as lost like any other. What is not known to be of that kind is named as lost, with its value:
//! `anthropic-beta.some-thing-2026-01-01`.

use crate::chat::ChatRequest;
use crate::text::Text;

/// The values of Anthropic's header that ask for nothing by themselves, without their dates:
/// <https://docs.anthropic.com/en/api/beta-headers>, and those that its own clients always send.
pub(super) const ANTHROPIC: Betas = Betas {
    header: "anthropic-beta",
    harmless: &[
        // They open fields of the body, values of its fields, or kinds of tools and content.
        "advanced-tool-use",
        "advisor-tool",
        "bash",
        "cache-diagnosis",
        "code-execution",
        "compact",
        "computer-use",
        "context-management",
        "effort",
        "extended-cache-ttl",
        "fast-mode",
        "files-api",
        "inline-tools",
        "mcp-client",
        "mid-conversation-output-config",
        "mid-conversation-system",
        "mid-conversation-system-clear-at",
        "mid-conversation-tool-changes",
        "pdfs",
        "prompt-caching",
        "prompt-caching-scope",
        "server-side-fallback",
        "skills",
        "structured-outputs",
        "task-budgets",
        "text-editor",
        "thinking-binding-controls",
        "thinking-display-updates",
        "tool-examples",
        "tool-search-tool",
        "user-profiles",
        "web-fetch",
        "web-search",
        // They raise the limits of some models; what is over another upstream's limits it refuses itself.
        "context-1m",
        "max-tokens-3-5-sonnet",
        "output-128k",
        "output-300k",
        // They are about reasoning, which is named where it is lost.
        "adaptive-thinking",
        "interleaved-thinking",
        // They say who asks, or how an answer is counted, cut into pieces or ended.
        "claude-code",
        "fallback-credit",
        "fine-grained-tool-streaming",
        "model-context-window-exceeded",
        "oauth",
        "thinking-token-count",
        "token-counting",
        "token-efficient-tools",
    ],
};

/// The same of OpenAI's header: the API that has become this one, and others.
pub(super) const OPENAI: Betas = Betas {
    header: "openai-beta",
    harmless: &[
        "assistants=v1",
        "assistants=v2",
        "responses=experimental",
        "responses=v1",
    ],
};

/// What is known of a header's values.
pub(super) struct Betas {
    header: &'static str,
    harmless: &'static [&'static str],
}

impl Betas {
    /// What the client asks for by the header alone, as far as anybody knows: names of what is lost.
    pub(super) fn asked(&self, request: &ChatRequest, others: &mut Vec<Text>) {
        let said = request
            .headers
            .iter()
            .filter(|(name, _)| *name == self.header);
        let said = said.filter_map(|(_, value)| value.to_str().ok());
        for value in said.flat_map(|value| value.split(',')).map(str::trim) {
            if !value.is_empty() && !self.harmless.contains(&without_date(value)) {
                others.push(Text::from(format!("{}.{value}", self.header)));
            }
        }
    }
}

/// `files-api-2025-04-14` and `claude-code-20250219` without their dates.
fn without_date(value: &str) -> &str {
    let digits = value.bytes().rev();
    let date = digits
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'-')
        .count();
    let (name, date) = value.split_at(value.len() - date);
    let numbers = date.bytes().filter(u8::is_ascii_digit).count();
    if numbers == 8 { name } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_do_not_count() {
        for (value, name) in [
            ("files-api-2025-04-14", "files-api"),
            ("claude-code-20250219", "claude-code"),
            ("context-1m-2025-08-07", "context-1m"),
            ("output-128k-2025-02-19", "output-128k"),
            ("max-tokens-3-5-sonnet-2024-07-15", "max-tokens-3-5-sonnet"),
            ("something", "something"),
            ("something-2", "something-2"),
            ("2025-01-01", ""),
            ("-", "-"),
        ] {
            assert_eq!(without_date(value), name, "{value}");
        }
    }

    #[test]
    fn the_lists_hold_names_without_dates() {
        for beta in ANTHROPIC.harmless {
            assert_eq!(without_date(beta), *beta);
        }
    }
}
