//! What an upstream's own reply says beside what its blocks do: tools that ran there, their results, other spellings of
//! thoughts, what nobody knows yet. A client that speaks the upstream's protocol gets its bytes, so rules see them.

use std::borrow::Cow;

use llm::chat::{Block, ChatResponse, Protocol};
use llm::json::{JsonError, Kind, Scanner};

use crate::body::pass_nested;
use crate::ruleset::Active;
use crate::search::whole_text;
use crate::tally::{Blocked, Tally};

/// Names of strings that are no text: words of the protocol, times, signatures, what is encrypted.
const NOT_TEXT: &[&str] = &[
    "createTime",
    "created_at",
    "encrypted_content",
    "encrypted_index",
    "expires_at",
    "finishReason",
    "finish_reason",
    "format",
    "id",
    "language",
    "mediaType",
    "media_type",
    "mimeType",
    "mime_type",
    "model",
    "modelVersion",
    "native_finish_reason",
    "object",
    "outcome",
    "phase",
    "provider",
    "role",
    "service_tier",
    "signature",
    "status",
    "stop_reason",
    "stop_sequence",
    "system_fingerprint",
    "thoughtSignature",
    "thought_signature",
    "type",
];

/// Names of members of which nothing is text: what the model did not say, and tokens that it might have.
const NOTHING_OF: &[&str] = &[
    "content_filter_results",
    "logprobs",
    "logprobsResult",
    "metadata",
    "promptFeedback",
    "prompt_filter_results",
    "safetyRatings",
    "top_logprobs",
    "usage",
    "usageMetadata",
];

/// What a response of the Responses protocol repeats of its request.
const REPEATED: &[&str] = &[
    "input",
    "instructions",
    "prompt",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "text",
    "tool_choice",
    "tools",
    "truncation",
    "user",
];

/// Whether rules would put something in the place of what only the upstream's bytes say.
///
/// # Errors
/// A rule refuses it.
pub fn changes_unseen(
    active: &Active,
    response: &ChatResponse,
    tally: &mut Tally,
) -> Result<bool, Blocked> {
    let Some(raw) = &response.raw else {
        return Ok(false);
    };
    let Ok(texts) = texts(&raw.body, raw.protocol) else {
        // Nobody can say what is in it.
        return Ok(true);
    };
    let mut seen = Vec::new();
    for content in response.choices.iter().flat_map(|choice| &choice.blocks) {
        seen.push(content.text.as_str());
        if let Block::ToolCall { name, .. } = &content.block {
            seen.push(name.as_str());
        }
        for citation in &content.citations {
            let said = [&citation.url, &citation.title, &citation.quoted];
            seen.extend(said.into_iter().flatten().map(llm::Text::as_str));
        }
    }
    let mut changes = false;
    for text in texts.iter().filter(|text| !seen.contains(&text.as_ref())) {
        changes |= whole_text(active, text, tally)?.is_some();
        if text.trim_ascii_start().starts_with(['{', '[']) {
            changes |= pass_nested(active, text, tally)?.is_some();
        }
    }
    Ok(changes)
}

fn texts(body: &[u8], protocol: Protocol) -> Result<Vec<Cow<'_, str>>, JsonError> {
    let mut reader = Reader {
        scanner: Scanner::from_utf8(body)?,
        texts: Vec::new(),
    };
    let repeated = if protocol == Protocol::OpenAiResponses {
        REPEATED
    } else {
        &[]
    };
    reader.value("", repeated, false)?;
    reader.scanner.end()?;
    Ok(reader.texts)
}

struct Reader<'a> {
    scanner: Scanner<'a>,
    texts: Vec<Cow<'a, str>>,
}

impl Reader<'_> {
    /// With `free` every string is text, whatever its name.
    fn value(&mut self, name: &str, without: &[&str], free: bool) -> Result<(), JsonError> {
        match self.scanner.peek()? {
            Kind::String => {
                let string = self.scanner.string()?;
                if string.is_empty() || !free && is_no_text(name) {
                    return Ok(());
                }
                let text = string.decode();
                if !is_data(name, &text) {
                    self.texts.push(text);
                }
            }
            Kind::Object => {
                let mut members = self.scanner.enter_object()?;
                while let Some(key) = self.scanner.next_member(&mut members)? {
                    let key = key.decode();
                    if without.contains(&&*key) || !free && NOTHING_OF.binary_search(&&*key).is_ok()
                    {
                        self.scanner.skip_value()?;
                        continue;
                    }
                    // What tools are called with.
                    let free = free || matches!(&*key, "args" | "arguments" | "input");
                    self.value(&key, &[], free)?;
                }
            }
            Kind::Array => {
                let mut items = self.scanner.enter_array()?;
                while self.scanner.next_item(&mut items)? {
                    self.value(name, &[], free)?;
                }
            }
            Kind::Number | Kind::Bool | Kind::Null => {
                self.scanner.skip_value()?;
            }
        }
        Ok(())
    }
}

fn is_no_text(name: &str) -> bool {
    NOT_TEXT.binary_search(&name).is_ok() || name.ends_with("_id") || name.ends_with("Id")
}

/// In bytes. What is shorter is searched: it may be a word.
const LONG: usize = 256;

/// A picture, a recording or a file. Under these names others have texts, which have spaces.
fn is_data(name: &str, text: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    match name {
        "b64_json" | "data" | "partial_image_b64" | "result" => {
            text.len() >= LONG && text.bytes().all(base64)
        }
        "image_url" | "uri" | "url" => text.starts_with("data:") && text.contains(";base64,"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order() {
        assert!(NOT_TEXT.is_sorted() && NOTHING_OF.is_sorted() && REPEATED.is_sorted());
    }

    fn read(protocol: Protocol, body: &str) -> Vec<String> {
        let texts = texts(body.as_bytes(), protocol).unwrap();
        texts.into_iter().map(Cow::into_owned).collect()
    }

    #[test]
    fn what_ran_at_the_provider() {
        let body = &r#"{"id":"r","model":"m","instructions":"i","tools":[{"description":"d"}],"text":{"format":{"name":"n"}},
            "output":[{"type":"code_interpreter_call","id":"c","container_id":"x","code":"print(1)","outputs":[{"type":"logs","logs":"l"},{"type":"image","url":"data:image/png;base64,AAAA"}]},
            {"type":"mcp_call","name":"tool","arguments":"{\"id\":1}","output":"o"},
            {"type":"file_search_call","queries":["q"],"results":[{"file_id":"f","filename":"n","text":"t"}]},
            {"type":"image_generation_call","result":"DATA"},{"type":"new_call","result":"done"},
            {"type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"r"}],"encrypted_content":"gAAA"}]}"#
            .replace("DATA", &"iVBORw0K".repeat(40));
        assert_eq!(
            read(Protocol::OpenAiResponses, body),
            [
                "print(1)",
                "l",
                "tool",
                "{\"id\":1}",
                "o",
                "q",
                "n",
                "t",
                "done",
                "r"
            ]
        );
        let body = r#"{"candidates":[{"content":{"parts":[{"executableCode":{"language":"PYTHON","code":"c"}},
            {"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"o"}},{"functionCall":{"name":"f","args":{"id":"a"}},"thoughtSignature":"AAAA"}]},
            "finishReason":"STOP","safetyRatings":[{"category":"HARM_CATEGORY_HARASSMENT"}]}],"modelVersion":"m"}"#;
        assert_eq!(read(Protocol::Gemini, body), ["c", "o", "f", "a"]);
        let body = r#"{"content":[{"type":"server_tool_use","id":"i","name":"web_search","input":{"query":"q"}},
            {"type":"web_search_tool_result","tool_use_id":"i","content":[{"type":"web_search_result","url":"u","title":"t","encrypted_content":"E"}]},
            {"type":"document","source":{"type":"text","data":"a text"}}],"stop_reason":"end_turn"}"#;
        assert_eq!(
            read(Protocol::Anthropic, body),
            ["web_search", "q", "u", "t", "a text"]
        );
        let body = r#"{"choices":[{"message":{"role":"assistant","content":"a","reasoning":"r","reasoning_content":"s"},
            "logprobs":{"content":[{"token":"a","top_logprobs":[{"token":"b"}]}]}}],"citations":["u"],"provider":"P"}"#;
        assert_eq!(read(Protocol::OpenAiChat, body), ["a", "r", "s", "u"]);
    }
}
