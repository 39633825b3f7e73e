//! What the simulated provider says.

use serde_json::Value;

use super::request::{Request, tokens};
use super::schema;

/// One choice.
#[derive(Debug)]
pub(super) struct Answer {
    pub content: Content,
    pub finish: &'static str,
    pub tokens: usize,
}

#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    Call {
        name: String,
        arguments: String,
        custom: bool,
    },
}

/// As many as were asked for.
pub(super) fn answers(request: &Request) -> Vec<Answer> {
    let count = request.choices();
    let one =
        |number| called_tool(request).unwrap_or_else(|| cut(request, text(request, number, count)));
    (1..=count).map(one).collect()
}

/// The tool to call, unless its result is there already.
fn called_tool(request: &Request) -> Option<Answer> {
    let tools = request.tools.as_deref().filter(|tools| !tools.is_empty())?;
    let answered = request
        .messages
        .last()
        .is_some_and(|last| last.role == "tool");
    if answered || request.tool_choice == "none" {
        return None;
    }
    let kind = |tool: &Value| {
        if tool["type"] == "custom" {
            "custom"
        } else {
            "function"
        }
    };
    let chosen = &request.tool_choice;
    let wanted = &chosen[kind(chosen)]["name"];
    let named = |tool: &&Value| wanted.is_null() || tool[kind(tool)]["name"] == *wanted;
    let tool = tools.iter().find(named)?;
    let custom = kind(tool) == "custom";
    let definition = &tool[kind(tool)];
    let arguments = if custom {
        "simulated input".to_owned()
    } else {
        schema::sample(&definition["parameters"]).to_string()
    };
    let name = definition["name"].as_str().unwrap_or_default().to_owned();
    Some(Answer {
        tokens: tokens(&name) + tokens(&arguments),
        finish: "tool_calls",
        content: Content::Call {
            name,
            arguments,
            custom,
        },
    })
}

fn text(request: &Request, number: usize, count: usize) -> String {
    let format = &request.response_format;
    match format["type"].as_str() {
        Some("json_schema") => return schema::sample(&format["json_schema"]["schema"]).to_string(),
        Some("json_object") => {
            let echo = request.last("user").map(|message| excerpt(&message.text()));
            return serde_json::json!({"simulated": true, "echo": echo}).to_string();
        }
        _ => {}
    }
    let mut text = String::from("This is a simulated reply: no model was asked.");
    if count > 1 {
        text.push_str(&format!(" It is number {number} of {count}."));
    }
    match request.messages.last() {
        Some(last) if last.role == "tool" => {
            text.push_str(&format!(" The tool answered: {}", excerpt(&last.text())));
        }
        _ => {
            if let Some(message) = request.last("user") {
                match message.images() {
                    0 => {}
                    1 => text.push_str(" You sent 1 image."),
                    images => text.push_str(&format!(" You sent {images} images.")),
                }
                text.push_str(&format!(" You said: {}", excerpt(&message.text())));
            }
        }
    }
    text
}

/// Ends a text at a stop sequence or at the token limit.
fn cut(request: &Request, mut text: String) -> Answer {
    let stops = request.stops();
    let stop = stops.iter().filter(|stop| !stop.is_empty());
    if let Some(end) = stop.filter_map(|stop| text.find(stop)).min() {
        text.truncate(end);
    }
    let mut finish = "stop";
    if let Some(limit) = request.max_tokens().filter(|limit| tokens(&text) > *limit) {
        text.truncate(text.floor_char_boundary(limit.saturating_mul(4)));
        finish = "length";
    }
    Answer {
        tokens: tokens(&text),
        content: Content::Text(text),
        finish,
    }
}

/// The first 300 bytes.
fn excerpt(text: &str) -> String {
    let end = text.floor_char_boundary(300);
    let ellipsis = if end < text.len() { "…" } else { "" };
    format!("{}{ellipsis}", &text[..end])
}
