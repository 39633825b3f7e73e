//! What the simulated provider reads of a request.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    #[serde(default = "simulated")]
    pub model: String,
    pub messages: Vec<Message>,
    pub stream: Option<bool>,
    #[serde(default)]
    stream_options: Value,
    pub tools: Option<Vec<Value>>,
    #[serde(default)]
    pub tool_choice: Value,
    #[serde(default)]
    pub response_format: Value,
    n: Option<usize>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    #[serde(default)]
    stop: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub role: String,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    tool_calls: Value,
}

fn simulated() -> String {
    "simulated".to_owned()
}

impl Request {
    pub(super) fn include_usage(&self) -> bool {
        self.stream_options["include_usage"] == true
    }

    /// At most sixteen: nobody's memory is to be tried.
    pub(super) fn choices(&self) -> usize {
        self.n.unwrap_or(1).clamp(1, 16)
    }

    pub(super) fn max_tokens(&self) -> Option<usize> {
        self.max_completion_tokens.or(self.max_tokens)
    }

    pub(super) fn stops(&self) -> Vec<&str> {
        match &self.stop {
            Value::String(stop) => vec![stop],
            Value::Array(stops) => stops.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The last message of a role.
    pub(super) fn last(&self, role: &str) -> Option<&Message> {
        self.messages
            .iter()
            .rev()
            .find(|message| message.role == role)
    }

    /// What the request would count as.
    pub(super) fn tokens(&self) -> usize {
        let messages: usize = self.messages.iter().map(Message::tokens).sum();
        let tools = self.tools.iter().flatten();
        messages + tools.map(|tool| tokens(&tool.to_string())).sum::<usize>() + 3
    }
}

impl Message {
    /// Its text, parts joined.
    pub(super) fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let texts: Vec<_> = parts
                    .iter()
                    .filter_map(|part| part["text"].as_str())
                    .collect();
                texts.join(" ")
            }
            _ => String::new(),
        }
    }

    pub(super) fn images(&self) -> usize {
        let parts = self.content.as_array().map_or(&[][..], Vec::as_slice);
        parts
            .iter()
            .filter(|part| part["type"] == "image_url")
            .count()
    }

    fn tokens(&self) -> usize {
        let calls = match &self.tool_calls {
            Value::Null => 0,
            calls => tokens(&calls.to_string()),
        };
        3 + tokens(&self.text()) + 85 * self.images() + calls
    }
}

/// Four bytes make a token.
pub(super) fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}
