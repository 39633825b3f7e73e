//! How upstreams that speak OpenAI Chat differ from OpenAI itself.

use crate::chat::{Effort, MediaKind};

/// What an upstream understands. Data, so that a provider is data:
///
/// ```
/// use llm::codecs::openai_chat::{OpenAiChat, Quirks, TokenLimit};
///
/// static CODEC: OpenAiChat = OpenAiChat::new(Quirks {
///     token_limit: TokenLimit::OnlyMaxTokens,
///     refuses: &["logit_bias", "n"],
///     ..Quirks::COMPATIBLE
/// });
/// ```
///
/// Requests that are built from another protocol follow all of it. Requests that are carried are changed only where
/// the upstream would refuse them or read them wrongly: `path`, `token_limit`, `developer_role`, `stream_options`,
/// `refuses` and `output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// Where requests go.
    pub path: Path,
    /// What the token limit is called.
    pub token_limit: TokenLimit,
    /// Whether the role `developer` is known; else it becomes `system`.
    pub developer_role: bool,
    /// Whether `stream_options` is known. Where it is not, it is left out: usage is hoped for unasked.
    pub stream_options: bool,
    /// Parameters that make the upstream answer with an error, by their name at the top of the body (`seed`, `n`,
    /// `logprobs`, `parallel_tool_calls`, …), and members of messages (`messages.name`, `messages.reasoning_content`).
    /// They are left out, and named as lost unless they say what happens anyway.
    pub refuses: &'static [&'static str],
    /// What the upstream knows beyond OpenAI: `top_k`, `min_p`, `cache_control` on content parts, `document_url` (the
    /// `file_data` of a file may be a URL).
    pub takes: &'static [&'static str],
    /// What kinds of answer can be asked for.
    pub output: OutputFormat,
    /// In which field the upstream takes back what was thought in earlier turns.
    pub thoughts: Thoughts,
    /// Whether replies hold what was thought.
    pub shows_thoughts: bool,
    /// How to say how much to think.
    pub effort: EffortField,
    /// The efforts that have a word, in ascending order; another one becomes the nearest. Without [`Effort::None`]
    /// thinking cannot be turned off.
    pub efforts: &'static [Effort],
    /// What messages may hold beside text.
    pub media: &'static [MediaKind],
    /// Whether content may be an array of text parts; else texts are joined into one string.
    pub content_parts: bool,
    /// Whether tools that take free text are known.
    pub custom_tools: bool,
    /// Whether `tool_choice` may be `allowed_tools`; else the other tools are not offered.
    pub allowed_tools: bool,
}

/// Where requests go, relative to the base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// `/chat/completions`, or another fixed path.
    Fixed(&'static str),
    /// `/deployments/{model}/chat/completions?api-version=…`, with this version where the operator chose none.
    Deployment { api_version: &'static str },
}

/// The name of the limit on the answer's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenLimit {
    /// `max_completion_tokens` is written, and `max_tokens` known.
    MaxCompletionTokens,
    /// `max_tokens` is written, and `max_completion_tokens` known, or at least let through.
    MaxTokens,
    /// Only `max_completion_tokens`: a client's `max_tokens` is renamed.
    OnlyMaxCompletionTokens,
    /// Only `max_tokens`: a client's `max_completion_tokens` is renamed.
    OnlyMaxTokens,
}

/// The values of `response_format` that are known. What is not is asked for in words, and named as emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// `json_schema` and `json_object`.
    Schema,
    /// `json_schema`, but not `json_object`: a schema for any object takes its place.
    SchemaOnly,
    /// `json_object`.
    Json,
    /// None.
    Text,
}

/// The field of an assistant's message that holds its thoughts, when it is sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thoughts {
    /// There is none.
    None,
    /// `reasoning_content`, a text.
    ReasoningContent,
    /// `reasoning`, a text.
    Reasoning,
    /// `reasoning_details`: texts, summaries and encrypted thoughts with their signatures.
    ReasoningDetails,
}

/// The parameter that says how much to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffortField {
    /// There is none.
    None,
    /// `"reasoning_effort": "low"`
    ReasoningEffort,
    /// `"reasoning": {"effort": "low"}`, or `{"max_tokens": 2000}`, and `"exclude"`.
    Reasoning,
    /// `"thinking": {"type": "enabled"}`: on or off.
    Thinking,
}

impl Quirks {
    /// OpenAI itself.
    pub const OPENAI: Self = Self {
        path: Path::Fixed("/chat/completions"),
        token_limit: TokenLimit::MaxCompletionTokens,
        developer_role: true,
        stream_options: true,
        refuses: &[],
        takes: &[],
        output: OutputFormat::Schema,
        thoughts: Thoughts::None,
        shows_thoughts: false,
        effort: EffortField::ReasoningEffort,
        // What all models that reason know; more words are known to some of them.
        efforts: &[Effort::Low, Effort::Medium, Effort::High],
        media: &[MediaKind::Image, MediaKind::Document, MediaKind::Audio],
        content_parts: true,
        custom_tools: true,
        allowed_tools: true,
    };

    /// A server of which no more is known than that it speaks the protocol: what it is sent is what most of them
    /// know. What clients write in the protocol themselves is carried as it is.
    pub const COMPATIBLE: Self = Self {
        token_limit: TokenLimit::MaxTokens,
        takes: &["top_k", "min_p"],
        thoughts: Thoughts::ReasoningContent,
        shows_thoughts: true,
        media: &[MediaKind::Image, MediaKind::Audio],
        custom_tools: false,
        allowed_tools: false,
        ..Self::OPENAI
    };

    /// Whether a carried body needs no look at its parameters.
    pub(super) fn carry_all(&self) -> bool {
        matches!(
            self.token_limit,
            TokenLimit::MaxCompletionTokens | TokenLimit::MaxTokens
        ) && self.developer_role
            && self.stream_options
            && self.refuses.is_empty()
            && self.output == OutputFormat::Schema
    }

    /// Whether a parameter makes the upstream answer with an error.
    pub(super) fn refuses(&self, name: &str) -> bool {
        self.refuses.contains(&name)
    }

    /// Whether a parameter that is not OpenAI's is known.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.takes.contains(&name)
    }

    /// What the token limit is called when it is written.
    pub(super) fn token_limit_name(&self) -> &'static str {
        match self.token_limit {
            TokenLimit::MaxCompletionTokens | TokenLimit::OnlyMaxCompletionTokens => {
                "max_completion_tokens"
            }
            TokenLimit::MaxTokens | TokenLimit::OnlyMaxTokens => "max_tokens",
        }
    }
}
