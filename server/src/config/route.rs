//! `[[routes]]`: paths of the operator's own at which a dialect is served.

use super::reading::{Section, Words};

/// A path that clients call, and where its requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The whole path: `/claude/v1/messages`. One of the gateway's own gets another provider thereby.
    pub path: String,
    /// What is spoken there.
    pub dialect: Dialect,
    /// The name of the provider, unless the client chooses one.
    pub provider: String,
}

/// A dialect whose path is fixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    #[default]
    OpenAiChat,
    OpenAiCompletions,
    OpenAiResponses,
    Anthropic,
}

impl Dialect {
    /// Where the gateway serves it.
    pub fn path(self) -> &'static str {
        match self {
            Self::OpenAiChat => "/v1/chat/completions",
            Self::OpenAiCompletions => "/v1/completions",
            Self::OpenAiResponses => "/v1/responses",
            Self::Anthropic => "/v1/messages",
        }
    }
}

impl Route {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        Self {
            path: section.required("path"),
            dialect: section.required("dialect"),
            provider: section.required("provider"),
        }
    }
}

impl Words for Dialect {
    const NOUN: &'static str = "dialect";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("openai_chat", Self::OpenAiChat),
        ("openai_completions", Self::OpenAiCompletions),
        ("openai_responses", Self::OpenAiResponses),
        ("anthropic", Self::Anthropic),
    ];
}
