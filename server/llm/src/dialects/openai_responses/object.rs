//! The Response object: <https://platform.openai.com/docs/api-reference/responses/object>

use bytes::Bytes;

use super::output::{Item, write_items};
use crate::chat::{ChatRequest, FinishReason, Stamp, Usage};
use crate::json::{Json, Object, ObjectWriter};
use crate::text::Text;
use crate::wire::openai_responses::write_usage;

/// What of a response does not change while it comes.
#[derive(Debug)]
pub(super) struct Head {
    id: Text,
    model: Text,
    created: i64,
    /// What the client asked for, as it said it; the protocol says it again.
    echo: Vec<(&'static str, Json)>,
    /// The client may refer to items by their ids alone, as if they were kept.
    pub refers: bool,
}

/// What of a request its reply needs.
#[derive(Debug)]
pub(super) struct Asked {
    model: Option<Text>,
    pub stamp: Stamp,
    body: Bytes,
}

/// Where a response stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Status<'a> {
    InProgress,
    Ended(Option<&'a FinishReason>),
    Failed { code: &'a str, message: &'a str },
}

/// Parameters that come back, and what they are where the client does not say; one without such a word is left out.
const ECHO: [(&str, &str); 19] = [
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("service_tier", r#""default""#),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "null"),
    ("truncation", r#""disabled""#),
    ("user", ""),
    ("metadata", "{}"),
    ("background", "false"),
];

impl Asked {
    pub fn of(request: &ChatRequest) -> Self {
        Self {
            model: request.model.as_deref().map(Text::from),
            stamp: request.stamp,
            body: request.body.clone(),
        }
    }
}

impl Head {
    /// `id`, `model` and `created` are the upstream's; the first is kept where it is a response's.
    pub fn new(asked: &Asked, id: &Text, model: &Text, created: Option<i64>) -> Self {
        let said = Object::scan(asked.body.clone()).ok();
        let echo = ECHO.into_iter().filter_map(|(key, default)| {
            let said = said.as_ref().and_then(|said| said.get(key));
            let said = said.filter(|json| *json != b"null");
            let json = said.and_then(|json| Text::from_utf8(asked.body.slice_ref(json)).ok());
            let json = json.unwrap_or(Text::from_static(default));
            // It may go into a line of its own.
            (!json.is_empty()).then(|| (key, Json::of_valid(json).compact()))
        });
        let told = |key: &str| said.as_ref().and_then(|said| said.get(key));
        let keeps = told("store") == Some(b"false")
            || told("include").is_some_and(|include| {
                memchr::memmem::find(include, b"\"reasoning.encrypted_content\"").is_some()
            });
        let echo = echo.collect();
        Self {
            refers: !keeps,
            id: if id.starts_with("resp_") {
                id.clone()
            } else {
                Text::from(asked.stamp.id("resp_"))
            },
            model: asked.model.as_ref().unwrap_or(model).clone(),
            created: created.unwrap_or(asked.stamp.at),
            echo,
        }
    }

    pub fn write(
        &self,
        object: &mut ObjectWriter<'_>,
        status: Status<'_>,
        items: &[Item],
        usage: Option<&Usage>,
    ) {
        object.string("id", &self.id);
        object.string("object", "response");
        object.plain("created_at", self.created);
        let cut_short = match status {
            Status::Ended(Some(FinishReason::Length)) => Some("max_output_tokens"),
            Status::Ended(Some(FinishReason::ContentFilter)) => Some("content_filter"),
            _ => None,
        };
        object.string(
            "status",
            match (status, cut_short) {
                (Status::InProgress, _) => "in_progress",
                (Status::Failed { .. }, _) => "failed",
                (Status::Ended(_), None) => "completed",
                (Status::Ended(_), Some(_)) => "incomplete",
            },
        );
        match status {
            Status::Failed { code, message } => object.object("error", |error| {
                error.string("code", code);
                error.string("message", message);
            }),
            _ => object.null("error"),
        }
        match cut_short {
            Some(reason) => object.object("incomplete_details", |details| {
                details.string("reason", reason);
            }),
            None => object.null("incomplete_details"),
        }
        object.string("model", &self.model);
        object.array("output", |list| write_items(list, items));
        for (key, json) in &self.echo {
            object.json(key, json);
        }
        // The gateway keeps nothing.
        object.plain("store", false);
        if let Some(usage) = usage {
            write_usage(object, usage);
        }
    }
}
