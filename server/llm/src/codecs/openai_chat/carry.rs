//! A client's body with what the upstream needs spliced in.

use bytes::Bytes;
use memchr::memmem;

use super::request::{ANY_OBJECT, in_words};
use super::{OutputFormat, Quirks, TokenLimit};
use crate::chat::{ChatRequest, Losses};
use crate::codec::Target;
use crate::json::{Edit, JsonError, Node, Object, Scanner, Span, quote, splice};
use crate::segments::Segments;
use crate::wire::openai_chat::{RequestLayout, StreamOptions, says_nothing};

pub(super) fn body(
    quirks: &Quirks,
    request: &ChatRequest,
    layout: &RequestLayout,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Segments {
    if !quirks.carry_all()
        && let Ok(object) = Object::scan(request.body.clone())
    {
        return adapted(quirks, request, layout, target, losses, object);
    }
    let mut edits = Vec::new();
    let mut first_members = Vec::new();
    if request.model.as_deref() != Some(target.model) {
        let model = quote(target.model);
        match &layout.model {
            Some(span) => edits.push(replace(span, model)),
            None => {
                first_members.extend_from_slice(b"\"model\":");
                first_members.extend_from_slice(&model);
                first_members.push(b',');
            }
        }
    }
    if request.stream && !request.include_usage {
        match ask_for_usage(layout) {
            Some(edit) => edits.push(edit),
            None => {
                first_members.extend_from_slice(b"\"stream_options\":");
                first_members.extend_from_slice(WITH_USAGE);
                first_members.push(b',');
            }
        }
    }
    edits.extend(system_message(layout, target.system_prompt));
    if !first_members.is_empty() {
        // `messages` is always there, so a comma follows rightly.
        edits.push(insert(layout.start, first_members));
    }
    splice(&request.body, edits)
}

/// For an upstream that does not understand all of the protocol.
fn adapted(
    quirks: &Quirks,
    request: &ChatRequest,
    layout: &RequestLayout,
    target: &Target<'_>,
    losses: &mut Losses,
    mut object: Object,
) -> Segments {
    if request.model.as_deref() != Some(target.model) {
        object.set("model", quote(target.model));
    }
    if !quirks.stream_options {
        // Nothing is lost: such upstreams tell usage unasked, or not at all.
        object.remove("stream_options");
    } else if request.stream && !request.include_usage {
        match ask_for_usage(layout) {
            Some(edit) => object.edit(edit),
            None => object.set("stream_options", Bytes::from_static(WITH_USAGE)),
        }
    }
    for name in quirks.refuses {
        if let Some(value) = object.get(name) {
            if !says_nothing(name, value) {
                losses.drop(*name);
            }
            object.remove(name);
        }
    }
    let (known, other) = match quirks.token_limit {
        TokenLimit::OnlyMaxTokens => ("max_tokens", Some("max_completion_tokens")),
        TokenLimit::OnlyMaxCompletionTokens => ("max_completion_tokens", Some("max_tokens")),
        TokenLimit::MaxTokens | TokenLimit::MaxCompletionTokens => ("", None),
    };
    if let Some(other) = other {
        match object.get(known) {
            // Where both are given, they mean the same.
            Some(_) => object.remove(other),
            None => object.rename(other, known),
        }
    }
    let mut prompts: Vec<String> = target.system_prompt.iter().map(|&p| p.to_owned()).collect();
    prompts.extend(output_format(quirks, &request.body, &mut object, losses));
    if let Some(span) = object.span("messages")
        && let Ok(edits) = messages(quirks, &request.body, span, losses)
    {
        for edit in edits {
            object.edit(edit);
        }
    }
    if let Some(edit) = system_message(layout, prompts.iter().map(String::as_str)) {
        object.edit(edit);
    }
    object.finish()
}

/// Puts what the upstream knows in place of a `response_format` that it does not; and says what the model has to be told.
fn output_format(
    quirks: &Quirks,
    body: &Bytes,
    object: &mut Object,
    losses: &mut Losses,
) -> Option<String> {
    let value = body.slice(object.span("response_format")?);
    let format = Node::parse(&value).ok()?;
    let schema = match &*format.get("type")?.str().ok()? {
        "json_schema" => Some(format.get("json_schema")?.get("schema")?.json()),
        "json_object" => None,
        _ => return None,
    };
    let words = in_words(schema.as_ref().map(|schema| schema.as_str()));
    match (quirks.output, schema) {
        (OutputFormat::Schema, _)
        | (OutputFormat::SchemaOnly, Some(_))
        | (OutputFormat::Json, None) => return None,
        (OutputFormat::SchemaOnly, None) => {
            object.set("response_format", ANY_OBJECT);
            losses.emulate("response_format");
            return None;
        }
        (OutputFormat::Json, Some(_)) => {
            let any = Bytes::from_static(br#"{"type":"json_object"}"#);
            object.set("response_format", any);
        }
        (OutputFormat::Text, _) => object.remove("response_format"),
    }
    losses.emulate("response_format");
    Some(words)
}

/// Changes the messages that the upstream would refuse: those of a role it does not know, and with members that it does
/// not (`messages.reasoning_content`: some upstreams refuse what others send).
fn messages(
    quirks: &Quirks,
    body: &Bytes,
    messages: Span,
    losses: &mut Losses,
) -> Result<Vec<Edit>, JsonError> {
    let mut edits = Vec::new();
    let found = |word: &str| memmem::find(body, word.as_bytes()).is_some();
    let roles = !quirks.developer_role && found("developer");
    let refused = quirks.refuses.iter().copied();
    let refused = refused.filter_map(|name| Some((name, name.strip_prefix("messages.")?)));
    let refused: Vec<_> = refused.filter(|(_, key)| found(key)).collect();
    if !roles && refused.is_empty() {
        return Ok(edits);
    }
    let mut scanner = Scanner::from_utf8(body)?;
    scanner.rewind(messages.start);
    let mut items = scanner.enter_array()?;
    while scanner.next_item(&mut items)? {
        let span = scanner.skip_value()?;
        let mut message = Object::scan(body.slice(span.clone()))?;
        let mut changed = false;
        if roles && message.get("role") == Some(br#""developer""#) {
            message.set("role", Bytes::from_static(br#""system""#));
            changed = true;
        }
        for (name, key) in &refused {
            let Some(value) = message.get(key) else {
                continue;
            };
            if !says_nothing(key, value) && value != b"\"\"" {
                losses.drop(if key.starts_with("reasoning") {
                    "reasoning"
                } else {
                    *name
                });
            }
            message.remove(key);
            changed = true;
        }
        if changed {
            edits.push(replace(&span, message.finish().concat()));
        }
    }
    Ok(edits)
}

const WITH_USAGE: &[u8] = br#"{"include_usage":true}"#;

/// Usage is always asked for: requests are recorded, whatever their client wants to see. None where the body says
/// nothing of `stream_options`.
fn ask_for_usage(layout: &RequestLayout) -> Option<Edit> {
    match &layout.stream_options {
        StreamOptions::Absent => None,
        StreamOptions::Null(span) => Some(replace(span, Bytes::from_static(WITH_USAGE))),
        StreamOptions::Object { start, empty } => {
            let comma: &[u8] = if *empty { b"" } else { b"," };
            Some(insert(*start, [b"\"include_usage\":true", comma].concat()))
        }
        StreamOptions::IncludeUsage(span) => Some(replace(span, Bytes::from_static(b"true"))),
    }
}

/// Puts messages of the operator's after the client's own.
fn system_message<'a>(
    layout: &RequestLayout,
    prompts: impl IntoIterator<Item = &'a str>,
) -> Option<Edit> {
    let (before, after) = layout.system_neighbours;
    let mut messages = Vec::new();
    for prompt in prompts {
        if before || !messages.is_empty() {
            messages.push(b',');
        }
        messages.extend_from_slice(b"{\"role\":\"system\",\"content\":");
        messages.extend_from_slice(&quote(prompt));
        messages.push(b'}');
    }
    if messages.is_empty() {
        return None;
    }
    if after && !before {
        messages.push(b',');
    }
    Some(insert(layout.system, messages))
}

fn replace(span: &Span, with: Bytes) -> Edit {
    Edit {
        span: span.clone(),
        with,
    }
}

fn insert(at: usize, with: Vec<u8>) -> Edit {
    Edit {
        span: at..at,
        with: Bytes::from(with),
    }
}
