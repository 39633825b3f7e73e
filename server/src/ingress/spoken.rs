//! Which dialect is spoken at a path: even what is refused before a handler is found is refused in words
//! that the client reads.

use http::{HeaderMap, Uri};
use llm::dialect::ChatDialect;
use llm::dialects::anthropic::Anthropic;
use llm::dialects::gemini::Gemini;
use llm::dialects::openai_chat::OpenAiChat;

/// Whose path it is, by how it begins; all others are OpenAI's.
static BEGINNINGS: &[(&str, &dyn ChatDialect)] =
    &[("/v1/messages", &Anthropic), ("/v1beta", &Gemini)];

/// What Gemini's clients ask of a model, behind its name, also below `/v1`.
pub(super) const GEMINI_METHODS: [&str; 5] = [
    ":generateContent",
    ":streamGenerateContent",
    ":countTokens",
    ":embedContent",
    ":batchEmbedContents",
];

/// The dialect of a path, whether there is anything at it or not.
pub(super) fn at(path: &str) -> &'static dyn ChatDialect {
    if path.starts_with("/v1/models/") && GEMINI_METHODS.iter().any(|method| path.ends_with(method))
    {
        return &Gemini;
    }
    let found = BEGINNINGS.iter().find(|(beginning, _)| {
        let rest = path.strip_prefix(beginning);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    found.map_or(&OpenAiChat, |(_, dialect)| *dialect)
}

/// What every client of Anthropic's sends.
pub(super) const ANTHROPIC_HEADER: &str = "anthropic-version";

/// Where Gemini's clients put their key.
pub(super) const GEMINI_HEADER: &str = "x-goog-api-key";

/// The dialect of a path that several share, by the header that only one's clients send.
pub(super) fn by(headers: &HeaderMap, uri: &Uri) -> &'static dyn ChatDialect {
    if headers.contains_key(ANTHROPIC_HEADER) {
        return &Anthropic;
    }
    if headers.contains_key(GEMINI_HEADER) {
        return &Gemini;
    }
    at(uri.path())
}
