//! Which dialect is spoken at a path: even what is refused before a handler is found is refused in words
//! that the client reads.

use llm::dialect::ChatDialect;
use llm::dialects::openai_chat::OpenAiChat;

/// Whose path it is, by how it begins; all others are OpenAI's.
static BEGINNINGS: &[(&str, &dyn ChatDialect)] = &[];

/// The dialect of a path, whether there is anything at it or not.
pub(super) fn at(path: &str) -> &'static dyn ChatDialect {
    let found = BEGINNINGS.iter().find(|(beginning, _)| {
        let rest = path.strip_prefix(beginning);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    found.map_or(&OpenAiChat, |(_, dialect)| *dialect)
}
