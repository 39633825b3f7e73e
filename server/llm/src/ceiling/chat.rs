//! What a chat request can consume.

use bytes::Bytes;

use super::{Ceiling, input};
use crate::chat::Protocol;
use crate::json::{Kind, Node, Object};

/// How long the answer to a chat request may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Of each alternative, in tokens; `None`: the request sets no limit.
    pub limit: Option<u64>,
    pub alternatives: u64,
}

/// The most that a body in this protocol can consume, its answers apart, and what it says of those. `object` is the
/// body; `None`: it is no object.
pub fn chat(protocol: Protocol, body: &Bytes, object: Option<&Object>) -> (Ceiling, Answer) {
    let ceiling = Ceiling {
        input_tokens: input(body),
        ..Ceiling::default()
    };
    (ceiling, answer(protocol, object))
}

fn answer(protocol: Protocol, object: Option<&Object>) -> Answer {
    let none = Answer {
        limit: None,
        alternatives: 1,
    };
    let Some(object) = object else {
        return none;
    };
    let number = |name: &str| object.get(name).and_then(natural);
    let inner = |names: &[&str], wanted: &[&str]| {
        let outer = names.iter().find_map(|name| object.get(name))?;
        let outer = Bytes::copy_from_slice(outer);
        let node = Node::parse(&outer).ok()?;
        wanted.iter().find_map(|name| node.get(name)?.u64().ok())
    };
    // Where nothing and 0 are the same to the upstream, both are no limit.
    let some = |limit: Option<u64>| limit.filter(|limit| *limit > 0);
    match protocol {
        Protocol::OpenAiChat => Answer {
            limit: some(number("max_completion_tokens").max(number("max_tokens"))),
            alternatives: number("n").unwrap_or(1).max(1),
        },
        Protocol::OpenAiCompletions => {
            let alternatives = number("n").max(number("best_of")).unwrap_or(1).max(1);
            let prompts = object.get("prompt").map_or(1, prompts);
            Answer {
                limit: number("max_tokens"),
                alternatives: alternatives.saturating_mul(prompts),
            }
        }
        Protocol::OpenAiResponses => Answer {
            limit: some(number("max_output_tokens")),
            ..none
        },
        Protocol::Anthropic | Protocol::Cohere => Answer {
            limit: some(number("max_tokens")),
            ..none
        },
        Protocol::Mistral => Answer {
            limit: some(number("max_tokens")),
            alternatives: number("n").unwrap_or(1).max(1),
        },
        Protocol::Gemini => {
            let config = ["generationConfig", "generation_config"];
            Answer {
                limit: some(inner(&config, &["maxOutputTokens", "max_output_tokens"])),
                alternatives: inner(&config, &["candidateCount", "candidate_count"])
                    .unwrap_or(1)
                    .max(1),
            }
        }
        Protocol::Ollama => Answer {
            limit: some(inner(&["options"], &["num_predict"])),
            ..none
        },
    }
}

/// How many texts there are to be continued; tokens are numbers, or lists of numbers.
fn prompts(prompt: &[u8]) -> u64 {
    let prompt = Bytes::copy_from_slice(prompt);
    let Ok(node) = Node::parse(&prompt) else {
        return 1;
    };
    match node.array() {
        Ok(items) if items.iter().all(|item| item.kind() != Kind::Number) => {
            (items.len() as u64).max(1)
        }
        _ => 1,
    }
}

/// A whole number from 0.
fn natural(json: &[u8]) -> Option<u64> {
    let json = Bytes::copy_from_slice(json);
    Node::parse(&json).ok()?.u64().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_has_its_own_words() {
        for (protocol, body, limit, alternatives) in [
            (
                Protocol::OpenAiChat,
                r#"{"max_tokens":5,"n":3}"#,
                Some(5),
                3,
            ),
            (
                Protocol::OpenAiChat,
                r#"{"max_tokens":5,"max_completion_tokens":9}"#,
                Some(9),
                1,
            ),
            (Protocol::OpenAiChat, r#"{"max_tokens":-1}"#, None, 1),
            (
                Protocol::OpenAiChat,
                r#"{"max_tokens":null,"n":0}"#,
                None,
                1,
            ),
            (
                Protocol::OpenAiCompletions,
                r#"{"max_tokens":0,"best_of":4,"n":2,"prompt":["a","b"]}"#,
                Some(0),
                8,
            ),
            (
                Protocol::OpenAiCompletions,
                r#"{"prompt":[1,2,3]}"#,
                None,
                1,
            ),
            (
                Protocol::OpenAiCompletions,
                r#"{"prompt":[[1],[2]]}"#,
                None,
                2,
            ),
            (
                Protocol::OpenAiResponses,
                r#"{"max_output_tokens":7}"#,
                Some(7),
                1,
            ),
            (Protocol::Anthropic, r#"{"max_tokens":7}"#, Some(7), 1),
            (
                Protocol::Gemini,
                r#"{"generationConfig":{"maxOutputTokens":7,"candidateCount":2}}"#,
                Some(7),
                2,
            ),
            (
                Protocol::Gemini,
                r#"{"generation_config":{"max_output_tokens":0}}"#,
                None,
                1,
            ),
            (
                Protocol::Ollama,
                r#"{"options":{"num_predict":7}}"#,
                Some(7),
                1,
            ),
            (
                Protocol::Ollama,
                r#"{"options":{"num_predict":-1}}"#,
                None,
                1,
            ),
            (Protocol::Mistral, "[]", None, 1),
        ] {
            let expected = Answer {
                limit,
                alternatives,
            };
            assert_eq!(
                answer(
                    protocol,
                    Object::scan(Bytes::from_static(body.as_bytes()))
                        .ok()
                        .as_ref()
                ),
                expected,
                "{body}"
            );
        }
    }
}
