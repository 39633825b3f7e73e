//! The system prompt that a client sends, changed where its protocol has it.
//!
//! What an operator puts after a client's own is the codecs' to say ([`Target`](crate::codec::Target)); what goes before
//! it, or in its place, is put into the client's body, so that every codec, carrying or not, meets it there. All other
//! bytes stay as they are.

use bytes::Bytes;
use http::HeaderMap;

use super::anthropic::Anthropic;
use super::gemini::Gemini;
use super::openai_chat::OpenAiChat;
use super::openai_completions::OpenAiCompletions;
use super::openai_responses::OpenAiResponses;
use crate::chat::{ChatRequest, Protocol};
use crate::dialect::{ChatDialect, Incoming};
use crate::error::ApiError;
use crate::json::{Edit, Kind, Node, Object, object, quote, remove_items, splice};

/// What becomes of a client's own system prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnPrompt<'a> {
    /// It is left out.
    Removed,
    /// This stands before it.
    After(&'a str),
}

impl ChatRequest {
    /// The same request with another body, which is in the same protocol.
    ///
    /// # Errors
    /// What is wrong with it, as the dialect says.
    pub fn with_body(&self, body: Bytes) -> Result<Self, ApiError> {
        let dialect: &dyn ChatDialect = match self.protocol {
            Protocol::OpenAiCompletions => &OpenAiCompletions,
            Protocol::OpenAiResponses => &OpenAiResponses,
            Protocol::Anthropic => &Anthropic,
            Protocol::Gemini => &Gemini,
            // No client speaks the others.
            _ => &OpenAiChat,
        };
        let headers = HeaderMap::from_iter(self.headers.iter().cloned());
        let mut changed = dialect.decode_request(Incoming {
            model: self.model.as_deref(),
            stream: Some(self.stream),
            variant: self.variant,
            ..Incoming::new(body, &headers, self.stamp)
        })?;
        changed.headers.clone_from(&self.headers);
        Ok(changed)
    }

    /// The request with its own system prompt changed. A text to be continued has none: it stays as it is.
    ///
    /// # Errors
    /// What of the body makes no sense.
    pub fn with_own_prompt(&self, own: OwnPrompt<'_>) -> Result<Self, ApiError> {
        let body = match self.protocol {
            Protocol::OpenAiCompletions => return Ok(self.clone()),
            Protocol::OpenAiResponses => responses(&self.body, own)?,
            Protocol::Anthropic => anthropic(&self.body, own)?,
            Protocol::Gemini => gemini(&self.body, own)?,
            _ => openai_chat(&self.body, own)?,
        };
        self.with_body(body)
    }
}

fn parse(body: &Bytes) -> Result<Node<'_>, ApiError> {
    Node::parse(body).map_err(|error| {
        ApiError::invalid(format!("The body is not valid JSON: {error}.")).with_code("invalid_json")
    })
}

fn scan(body: &Bytes) -> Result<Object, ApiError> {
    Object::scan(body.clone()).map_err(|error| {
        ApiError::invalid(format!("The body is not valid JSON: {error}.")).with_code("invalid_json")
    })
}

fn insert(at: usize, pieces: &[&[u8]]) -> Edit {
    Edit {
        span: at..at,
        with: Bytes::from(pieces.concat()),
    }
}

/// Whether each item of a list is said by the system.
fn by_system(items: &[Node<'_>]) -> Vec<bool> {
    let system = |item: &Node<'_>| {
        let role = item.get("role").and_then(|role| role.str().ok());
        matches!(role.as_deref(), Some("system" | "developer"))
    };
    items.iter().map(system).collect()
}

/// Messages of the roles `system` and `developer`.
fn openai_chat(body: &Bytes, own: OwnPrompt<'_>) -> Result<Bytes, ApiError> {
    let root = parse(body)?;
    let list = root.require("messages")?;
    let messages = list.array()?;
    let mut edits = Vec::new();
    match own {
        OwnPrompt::Removed => remove_items(messages, &by_system(messages), &mut edits),
        OwnPrompt::After(prompt) => {
            let message = object(|message| {
                message.string("role", "system");
                message.string("content", prompt);
            });
            let comma: &[u8] = if messages.is_empty() { b"" } else { b"," };
            edits.push(insert(list.span().start + 1, &[&message, comma]));
        }
    }
    Ok(splice(body, edits).concat())
}

/// `system`, and messages of that role.
fn anthropic(body: &Bytes, own: OwnPrompt<'_>) -> Result<Bytes, ApiError> {
    let root = parse(body)?;
    let mut object = scan(body)?;
    let said = root.get("system");
    match own {
        OwnPrompt::Removed => {
            object.remove("system");
            if let Some(messages) = root.get("messages").and_then(|list| list.array().ok()) {
                let mut edits = Vec::new();
                remove_items(messages, &by_system(messages), &mut edits);
                edits.into_iter().for_each(|edit| object.edit(edit));
            }
        }
        OwnPrompt::After(prompt) => {
            let quoted = quote(prompt);
            match said {
                Some(text) if text.str().is_ok_and(|text| !text.is_empty()) => {
                    let inner = &quoted[1..quoted.len() - 1];
                    object.edit(insert(text.span().start + 1, &[inner, b"\\n\\n"]));
                }
                Some(blocks) if blocks.array().is_ok_and(|list| !list.is_empty()) => {
                    let block = [b"{\"type\":\"text\",\"text\":", &quoted[..], b"},"].concat();
                    object.edit(insert(blocks.span().start + 1, &[&block]));
                }
                _ => object.set("system", quoted),
            }
        }
    }
    Ok(object.finish().concat())
}

/// `systemInstruction`, in either spelling.
fn gemini(body: &Bytes, own: OwnPrompt<'_>) -> Result<Bytes, ApiError> {
    const SPELLINGS: [&str; 2] = ["systemInstruction", "system_instruction"];
    let root = parse(body)?;
    let mut changed = scan(body)?;
    let OwnPrompt::After(prompt) = own else {
        for key in SPELLINGS {
            changed.remove(key);
        }
        return Ok(changed.finish().concat());
    };
    let part = object(|part| part.string("text", prompt));
    let alone = || Bytes::from([b"{\"parts\":[", &part[..], b"]}"].concat());
    let Some((key, said)) = SPELLINGS
        .into_iter()
        .find_map(|key| Some((key, root.get(key)?)))
    else {
        changed.set(SPELLINGS[0], alone());
        return Ok(changed.finish().concat());
    };
    let document = |node: &Node<'_>| body.slice(node.span());
    match (said.kind(), said.get("parts")) {
        (Kind::String, _) => {
            let own = document(said);
            let parts = [b"{\"parts\":[", &part[..], b",{\"text\":", &own[..], b"}]}"];
            changed.set(key, Bytes::from(parts.concat()));
        }
        (_, Some(parts)) => match parts.array() {
            Ok(list) => {
                let comma: &[u8] = if list.is_empty() { b"" } else { b"," };
                changed.edit(insert(parts.span().start + 1, &[&part, comma]));
            }
            Err(_) => changed.edit(Edit {
                span: parts.span(),
                with: Bytes::from([b"[", &part[..], b",", &document(parts)[..], b"]"].concat()),
            }),
        },
        _ => changed.set(key, alone()),
    }
    Ok(changed.finish().concat())
}

/// `instructions`, and items of the system's among the input.
fn responses(body: &Bytes, own: OwnPrompt<'_>) -> Result<Bytes, ApiError> {
    let root = parse(body)?;
    let mut object = scan(body)?;
    match own {
        OwnPrompt::Removed => {
            object.remove("instructions");
            if let Some(items) = root.get("input").and_then(|list| list.array().ok()) {
                let mut edits = Vec::new();
                remove_items(items, &by_system(items), &mut edits);
                edits.into_iter().for_each(|edit| object.edit(edit));
            }
        }
        OwnPrompt::After(prompt) => {
            let said = root.get("instructions").map(Node::str).transpose()?;
            let told = match said.filter(|said| !said.is_empty()) {
                Some(said) => quote(&format!("{prompt}\n\n{said}")),
                None => quote(prompt),
            };
            object.set("instructions", told);
        }
    }
    Ok(object.finish().concat())
}
