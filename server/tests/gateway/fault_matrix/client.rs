//! Clients of two dialects, and how they read what they get.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::test_app::{TestApp, hello};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    OpenAi,
    Anthropic,
}

/// What a client sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// All that it asked for, to the protocol's own end.
    Answer,
    /// An error in place of an answer.
    Refused {
        status: u16,
        error: String,
        retry_after: bool,
    },
    /// A part of the answer, then the dialect's error event.
    Midway { error: String },
    /// Neither an answer nor an error: nobody may ever see this.
    Lost(String),
}

impl Client {
    pub const ALL: [Self; 2] = [Self::OpenAi, Self::Anthropic];

    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    pub fn request(self, app: &TestApp, model: &str, stream: bool) -> RequestBuilder {
        let mut body = hello(model);
        if stream {
            body["stream"] = json!(true);
        }
        match self {
            Self::OpenAi => app.post("/v1/chat/completions", &body),
            Self::Anthropic => {
                body["max_tokens"] = json!(100);
                app.post("/v1/messages", &body)
                    .header("anthropic-version", "2023-06-01")
            }
        }
    }

    pub async fn read(self, response: reqwest::Result<Response>) -> Seen {
        let response = match response {
            Ok(response) => response,
            Err(error) => return Seen::Lost(format!("no response: {error}")),
        };
        let status = response.status().as_u16();
        let retry_after = response.headers().contains_key("retry-after");
        let content_type = response.headers()["content-type"].to_str().unwrap();
        let stream = content_type.starts_with("text/event-stream");
        let text = match response.text().await {
            Ok(text) => text,
            Err(error) => return Seen::Lost(format!("{status}, then cut off: {error}")),
        };
        if stream {
            return self.read_stream(&text);
        }
        let Ok(body) = serde_json::from_str::<Value>(&text) else {
            return Seen::Lost(format!("{status} and no JSON: {text}"));
        };
        match self.error(&body) {
            Some(error) => Seen::Refused {
                status,
                error,
                retry_after,
            },
            None if status == 200 && self.text(&body).is_some() => Seen::Answer,
            None => Seen::Lost(format!("{status}: {text}")),
        }
    }

    fn read_stream(self, text: &str) -> Seen {
        let data: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .collect();
        let Some(last) = data.last() else {
            return Seen::Lost("an empty stream".to_owned());
        };
        if *last == "[DONE]" {
            return Seen::Answer;
        }
        let event: Value = serde_json::from_str(last).unwrap_or_default();
        match self.error(&event) {
            Some(error) if data.len() > 1 => Seen::Midway { error },
            None if self == Self::Anthropic && event["type"] == "message_stop" => Seen::Answer,
            _ => Seen::Lost(format!("a stream that ends with {last}")),
        }
    }

    /// The error's words for programs, where there is one: type and code.
    fn error(self, body: &Value) -> Option<String> {
        let error = body.get("error")?;
        let kind = error["type"].as_str().unwrap_or("no type");
        Some(match error["code"].as_str() {
            Some(code) if code != kind => format!("`{kind}` `{code}`"),
            _ => format!("`{kind}`"),
        })
    }

    fn text(self, body: &Value) -> Option<&str> {
        match self {
            Self::OpenAi => body["choices"][0]["message"]["content"].as_str(),
            Self::Anthropic => body["content"][0]["text"].as_str(),
        }
    }
}
