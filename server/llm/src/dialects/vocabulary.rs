//! The members that clients of each protocol can say and the canonical prompt has a place for.

use crate::chat::Protocol;
use crate::json::{Kind, Node};
use crate::wire::gemini::camel;

/// The words of one protocol.
struct Vocabulary {
    /// Top-level members that consist of objects: what of the others a prompt cannot say is noted as it is read.
    holders: &'static [&'static str],
    /// Members of those, at any depth, that a prompt says.
    known: &'static [&'static str],
    /// Those of them that are the client's own, with whatever is in them.
    own: &'static [&'static str],
}

const OPENAI_CHAT: Vocabulary = Vocabulary {
    holders: &[
        "messages",
        "tools",
        "functions",
        "tool_choice",
        "function_call",
        "response_format",
    ],
    known: &[
        "arguments",
        "content",
        "custom",
        "data",
        "description",
        "detail",
        "file",
        "file_data",
        "file_id",
        "filename",
        "format",
        "function",
        "function_call",
        "id",
        "image_url",
        "input",
        "input_audio",
        "json_schema",
        "name",
        "refusal",
        "role",
        "strict",
        "text",
        "tool_call_id",
        "tool_calls",
        "type",
        "url",
    ],
    own: &["parameters", "schema"],
};

const OPENAI_RESPONSES: Vocabulary = Vocabulary {
    holders: &["input", "tools", "tool_choice", "text"],
    known: &[
        "arguments",
        "call_id",
        "content",
        "description",
        "detail",
        "file_data",
        "file_id",
        "file_url",
        "filename",
        "format",
        // What the item was called when it was told: the prompt has its place.
        "id",
        "image_url",
        "input",
        "name",
        "output",
        "refusal",
        "role",
        "status",
        "strict",
        "text",
        "type",
    ],
    own: &["parameters", "schema"],
};

const ANTHROPIC: Vocabulary = Vocabulary {
    holders: &[
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "output_format",
    ],
    known: &[
        "budget_tokens",
        "cache_control",
        "content",
        "data",
        "description",
        "disable_parallel_tool_use",
        "effort",
        "file_id",
        "format",
        "id",
        "is_error",
        "media_type",
        "name",
        "role",
        "signature",
        "source",
        "strict",
        "text",
        "thinking",
        "title",
        "tool_use_id",
        "ttl",
        "type",
        "url",
    ],
    own: &["input", "input_schema", "schema"],
};

const GEMINI: Vocabulary = Vocabulary {
    holders: &["contents", "systemInstruction", "tools", "toolConfig"],
    known: &[
        "allowedFunctionNames",
        "data",
        "description",
        "fileData",
        "fileUri",
        "functionCall",
        "functionCallingConfig",
        "functionDeclarations",
        "functionResponse",
        "id",
        "inlineData",
        "mimeType",
        "mode",
        "name",
        "parts",
        "role",
        "text",
        "thought",
        "thoughtSignature",
    ],
    own: &["args", "parameters", "parametersJsonSchema", "response"],
};

/// Whether a prompt has a place for every member of what a body consists of. What stands in a member without saying
/// anything (`null`, an empty list) does not count.
pub(super) fn is_known(protocol: Protocol, body: &Node<'_>) -> bool {
    let words = match protocol {
        Protocol::OpenAiChat => OPENAI_CHAT,
        Protocol::OpenAiResponses => OPENAI_RESPONSES,
        Protocol::Anthropic => ANTHROPIC,
        Protocol::Gemini => GEMINI,
        _ => return false,
    };
    body.members()
        .filter(|(key, _)| words.holders.contains(&&*words.spelled(key)))
        .all(|(_, value)| words.know(value))
}

impl Vocabulary {
    fn know(&self, value: &Node<'_>) -> bool {
        if let Ok(items) = value.array() {
            return items.iter().all(|item| self.know(item));
        }
        value.members().all(|(key, value)| {
            let key = self.spelled(&key);
            self.own.contains(&&*key)
                || says_nothing(value)
                || self.known.contains(&&*key) && self.know(value)
        })
    }

    /// Gemini's names come in two spellings.
    fn spelled<'k>(&self, key: &'k str) -> std::borrow::Cow<'k, str> {
        match self.holders.contains(&"contents") {
            true => camel(key.into()),
            false => key.into(),
        }
    }
}

fn says_nothing(value: &Node<'_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::Array => value.array().is_ok_and(<[_]>::is_empty),
        Kind::Object => value.members().next().is_none(),
        Kind::Bool | Kind::String | Kind::Number => false,
    }
}
