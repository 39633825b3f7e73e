//! Who takes part.

use llm::codecs::{self, openai_chat::OpenAiChat};
use llm::{ChatCodec, ChatDialect, dialects};
use serde_json::{Value, json};

/// What a client speaks.
pub struct Client {
    pub dialect: &'static dyn ChatDialect,
    /// Where a conversation stands in the body.
    pub turns: &'static str,
}

pub static CLIENTS: [Client; 4] = [
    Client {
        dialect: &dialects::openai_chat::OpenAiChat,
        turns: "messages",
    },
    Client {
        dialect: &dialects::openai_responses::OpenAiResponses,
        turns: "input",
    },
    Client {
        dialect: &dialects::anthropic::Anthropic,
        turns: "messages",
    },
    Client {
        dialect: &dialects::gemini::Gemini,
        turns: "contents",
    },
];

impl Client {
    pub fn name(&self) -> &'static str {
        self.dialect.protocol().as_str()
    }

    /// The least that makes sense.
    pub fn request(&self) -> Value {
        match self.name() {
            "openai_chat" => {
                json!({"model": "assistant", "messages": [{"role": "user", "content": "Hi"}]})
            }
            "openai_responses" => {
                json!({"model": "assistant", "input": [{"role": "user", "content": "Hi"}]})
            }
            "anthropic" => json!({"model": "assistant", "max_tokens": 4096,
                "messages": [{"role": "user", "content": "Hi"}]}),
            _ => json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
        }
    }
}

/// What an upstream speaks.
pub struct Upstream {
    pub codec: &'static dyn ChatCodec,
    pub model: &'static str,
    pub framing: Framing,
}

#[derive(Clone, Copy)]
pub enum Framing {
    /// Server-sent events without names, with `[DONE]` at the end.
    Done,
    /// Server-sent events without names.
    Unnamed,
    /// Server-sent events named as their `type`.
    Named,
    /// A line each.
    Lines,
}

pub static UPSTREAMS: [Upstream; 7] = [
    Upstream {
        codec: &OpenAiChat::OPENAI,
        model: "gpt-5.1",
        framing: Framing::Done,
    },
    Upstream {
        codec: &codecs::openai_responses::OpenAiResponses::USUAL,
        model: "gpt-5.1",
        framing: Framing::Named,
    },
    Upstream {
        codec: &codecs::anthropic::Anthropic,
        model: "claude-sonnet-4-5",
        framing: Framing::Named,
    },
    Upstream {
        codec: &codecs::gemini::Gemini,
        model: "gemini-2.5-flash",
        framing: Framing::Unnamed,
    },
    Upstream {
        codec: &codecs::ollama::Ollama,
        model: "qwen3",
        framing: Framing::Lines,
    },
    Upstream {
        codec: &codecs::cohere::Cohere,
        model: "command-a-reasoning-08-2025",
        framing: Framing::Named,
    },
    Upstream {
        codec: &codecs::mistral::Mistral,
        model: "mistral-small-latest",
        framing: Framing::Done,
    },
];

impl Upstream {
    pub fn name(&self) -> &'static str {
        self.codec.protocol().as_str()
    }

    /// The events of a stream as they travel; `ends`: it is not cut.
    pub fn stream(&self, events: &[Value], ends: bool) -> String {
        let mut out = String::new();
        for event in events {
            match self.framing {
                Framing::Lines => out += &format!("{event}\n"),
                Framing::Named => {
                    let name = event["type"].as_str().expect("a type");
                    out += &format!("event: {name}\ndata: {event}\n\n");
                }
                Framing::Done | Framing::Unnamed => out += &format!("data: {event}\n\n"),
            }
        }
        if ends && matches!(self.framing, Framing::Done) {
            out += "data: [DONE]\n\n";
        }
        out
    }
}
