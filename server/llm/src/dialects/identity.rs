//! What of a request decides its answer: two that are the same in this can be given the same one.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::vocabulary;
use crate::chat::{ChatRequest, Layout, PartContent, Prompt, Protocol, Tool};
use crate::json::canonical::{Canonical, Digest};
use crate::json::{self, JsonError, Node, Scanner};
use crate::wire::gemini::camel;
use crate::wire::state::State;

/// Whether an answer can be given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeatable {
    Yes(Beside),
    /// More is asked for than an answer: the parameter that says so.
    No(&'static str),
}

/// What an upstream of the same protocol does beside answering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// A digest of what its reply says again though it does not decide the answer, such as the user; 0: nothing.
    pub echoed: u64,
    /// It keeps the answer, and the client can refer to it and to its items.
    pub kept: bool,
}

/// Top-level members that do not decide the answer: how it is sent, who asks, what the provider counts and keeps.
/// The model's name is told apart, for it can also stand in the path.
pub fn set_aside(protocol: Protocol) -> &'static [&'static str] {
    match protocol {
        Protocol::OpenAiResponses => &[
            "model",
            "stream",
            "stream_options",
            "user",
            "metadata",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
        ],
        Protocol::OpenAiCompletions => &["model", "stream", "stream_options", "user"],
        Protocol::Anthropic => &["model", "stream", "metadata"],
        Protocol::Gemini => &["model", "labels"],
        _ => &[
            "model",
            "stream",
            "stream_options",
            "user",
            "metadata",
            "safety_identifier",
            "prompt_cache_key",
            "prompt_cache_retention",
            "store",
        ],
    }
}

/// What a reply says again of what is set aside.
const ECHOED: [&str; 4] = ["user", "metadata", "safety_identifier", "prompt_cache_key"];

/// Appends of a chat's body what decides the answer: everything but what is known not to. White space, the order of
/// members and escapes do not count. Of long texts their `digest` is appended.
///
/// # Errors
/// The body is not JSON.
pub fn write_body_identity(
    protocol: Protocol,
    body: &[u8],
    out: &mut Vec<u8>,
    digest: Digest,
) -> Result<Repeatable, JsonError> {
    let aside = set_aside(protocol);
    let responses = protocol == Protocol::OpenAiResponses;
    let mut unrepeatable = None;
    let mut echoed = 0_u64;
    // Without a word the upstream keeps a response, so that others can refer to it.
    let mut stored = responses;
    let mut scanner = Scanner::from_utf8(body)?;
    let mut members = scanner.enter_object()?;
    Canonical::new(digest).object(out, |canonical, out| {
        while let Some(key) = scanner.next_member(&mut members)? {
            let known = key.decode();
            let known: &str = &known;
            if let Some(state) = State::of(protocol, known) {
                let span = scanner.skip_value()?;
                if state.is_in(&scanner.text()[span]) {
                    unrepeatable = Some(state.member);
                }
            } else if aside.contains(&known) {
                let span = scanner.skip_value()?;
                if responses && ECHOED.contains(&known) {
                    // In whatever order they come.
                    echoed = echoed.wrapping_add(told(known, &scanner.text()[span]));
                }
            } else if responses && known == "store" {
                let span = scanner.skip_value()?;
                stored = &scanner.text()[span] != "false";
            } else {
                let start = out.len();
                canonical.string(&key, out);
                let end = out.len();
                canonical.value(&mut scanner, out)?;
                return Ok(Some((start, end)));
            }
        }
        Ok(None)
    })?;
    scanner.end()?;
    out.push(u8::from(stored));
    let beside = Beside {
        echoed,
        kept: stored,
    };
    Ok(unrepeatable.map_or(Repeatable::Yes(beside), Repeatable::No))
}

fn told(name: &str, json: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, json).hash(&mut hasher);
    hasher.finish().max(1)
}

impl ChatRequest {
    /// Appends what decides the answer beside the body, apart from where the request goes: the protocol and its headers.
    /// What [`write_body_identity`] appends belongs behind it.
    pub fn write_head_identity(&self, out: &mut Vec<u8>) {
        let name = |name: &str, out: &mut Vec<u8>| {
            out.extend_from_slice(&(name.len() as u64).to_le_bytes());
            out.extend_from_slice(name.as_bytes());
        };
        name(self.protocol.as_str(), out);
        out.extend_from_slice(&(self.headers.len() as u64).to_le_bytes());
        for (key, value) in &self.headers {
            name(key.as_str(), out);
            out.extend_from_slice(&(value.len() as u64).to_le_bytes());
            out.extend_from_slice(value.as_bytes());
        }
    }

    /// What is quickly said of a request that can be answered again: the same for all that are the same question in one
    /// protocol, and hardly ever for others. `None`: it can not quickly be said, for texts are longer than `most` bytes
    /// together, or of a request of this kind.
    pub fn mark(&self, most: usize, hash: fn(&[u8]) -> u64) -> Option<u64> {
        let (messages, state) = match &self.layout {
            Layout::OpenAiChat(layout) => (&layout.messages, layout.state),
            Layout::Anthropic(layout) => (&layout.messages, layout.state),
            Layout::Unknown => return None,
        };
        // With white space and escapes, strings take several times what they say.
        if state || messages.len() > most.saturating_mul(8) {
            return None;
        }
        let messages = std::str::from_utf8(&self.body[messages.clone()]).ok()?;
        let mark = json::mark(messages, most, hash).ok()??;
        let model = self.model.as_deref().unwrap_or_default();
        Some(mark.wrapping_add(hash(model.as_bytes()).rotate_left(32)))
    }

    /// Appends what decides the answer in no protocol, so that a client of another one can be given it too. `false`:
    /// something of the request is only its protocol's, and nothing was appended.
    pub fn write_plain_identity(&self, out: &mut Vec<u8>) -> bool {
        let Ok(prompt) = self.prompt() else {
            return false;
        };
        // Other headers ask for what only this protocol has.
        let usual = |(name, value): &(http::HeaderName, http::HeaderValue)| {
            name == "anthropic-version" && value == "2023-06-01"
        };
        let known = || Node::parse(&self.body).is_ok_and(|body| self.is_common(&body));
        if !is_plain(prompt) || !self.headers.iter().all(usual) || !known() {
            return false;
        }
        let Prompt {
            messages,
            tools,
            tool_choice,
            parallel_tool_calls,
            max_output_tokens,
            temperature,
            top_p,
            top_k,
            min_p,
            presence_penalty,
            frequency_penalty,
            seed,
            stop,
            choices,
            logprobs,
            output,
            reasoning,
            user: _,
            others: _,
        } = prompt;
        let mut into = Bytes(out);
        (messages, tools, tool_choice, parallel_tool_calls).hash(&mut into);
        (max_output_tokens, temperature, top_p, top_k, min_p).hash(&mut into);
        (presence_penalty, frequency_penalty, seed, stop).hash(&mut into);
        (choices.unwrap_or(1), logprobs, output, reasoning).hash(&mut into);
        true
    }

    /// Whether others can ask for all that the body asks for.
    fn is_common(&self, body: &Node<'_>) -> bool {
        let own = match self.protocol {
            Protocol::OpenAiResponses => refers(body) || has_tools_without_a_word(body),
            Protocol::Gemini => has_dynamic_thinking(body),
            _ => false,
        };
        !own && vocabulary::is_known(self.protocol, body)
    }
}

/// Whether the upstream keeps the answer, or seals its thoughts for a client that keeps them.
fn refers(body: &Node<'_>) -> bool {
    let store = body.get("store");
    let include = body.get("include").map(Node::json);
    store.is_none_or(|store| store.bool() != Ok(false))
        || include.is_some_and(|include| include.as_str().contains("encrypted_content"))
}

/// Whether a function does not say if it is strict: only here it is, then.
fn has_tools_without_a_word(body: &Node<'_>) -> bool {
    let tools = body.get("tools").and_then(|tools| tools.array().ok());
    tools.into_iter().flatten().any(|tool| {
        let kind = tool.get("type").and_then(|kind| kind.str().ok());
        kind.as_deref() == Some("function") && tool.get("strict").is_none()
    })
}

/// Whether it is left to the model how much it thinks, which is not what every model does without a word.
fn has_dynamic_thinking(body: &Node<'_>) -> bool {
    let budget = ["generationConfig", "thinkingConfig", "thinkingBudget"]
        .iter()
        .try_fold(body, |node, name| {
            // In either spelling.
            let mut members = node.members();
            members.find_map(|(key, value)| (camel(key) == *name).then_some(value))
        });
    budget.is_some_and(|budget| budget.i64().is_ok_and(|budget| budget < 0))
}

/// Whether it says all that the client said.
fn is_plain(prompt: &Prompt) -> bool {
    let known = |content: &PartContent| !matches!(content, PartContent::Other { .. });
    let parts = || prompt.messages.iter().flat_map(|message| &message.parts);
    prompt.others.is_empty()
        && !prompt
            .tools
            .iter()
            .any(|tool| matches!(tool, Tool::Hosted { .. }))
        && parts().all(|part| match &part.content {
            PartContent::ToolResult { parts, .. } => parts.iter().all(|part| known(&part.content)),
            content => known(content),
        })
}

/// Keeps what is hashed as it is.
struct Bytes<'a>(&'a mut Vec<u8>);

impl Hasher for Bytes<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
