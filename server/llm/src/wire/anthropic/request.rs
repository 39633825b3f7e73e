//! A request's body.

use crate::chat::{ChatRequest, Layout, Prompt, Protocol};
use crate::dialect::Incoming;
use crate::error::ApiError;
use crate::json::{JsonError, Kind, Scanner, Span};
use crate::wire::state::is_state;

/// Where in a body the values stand that a codec may have to change.
#[derive(Clone, Debug)]
pub(crate) struct RequestLayout {
    /// After the body's opening brace: where new members go. `messages` is always there, so a comma follows.
    pub start: usize,
    /// The value of `model`.
    pub model: Option<Span>,
    /// The value of `messages`.
    pub messages: Span,
    /// Something is asked for beside an answer, see [`is_state`].
    pub state: bool,
    pub system: SystemPlace,
}

/// What a body says of `system`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SystemPlace {
    Absent,
    /// Null, or an empty string or array: the value.
    Empty(Span),
    /// A string: its closing quote.
    Text(usize),
    /// Blocks: the closing bracket.
    Blocks(usize),
}

/// Headers of the protocol that an upstream of the same protocol gets as well.
const HEADERS: [&str; 2] = ["anthropic-version", "anthropic-beta"];

/// Reads a body once, from end to end.
pub(crate) fn scan_request(
    incoming: Incoming<'_>,
    read_prompt: fn(&ChatRequest) -> Result<Prompt, ApiError>,
) -> Result<ChatRequest, ApiError> {
    let body = incoming.body;
    let mut scanner = Scanner::from_utf8(&body).map_err(|error| not_json(&error))?;
    let kind = scanner.peek().map_err(|error| not_json(&error))?;
    if kind != Kind::Object {
        let message = format!("The body must be a JSON object, not {}.", kind.name());
        return Err(ApiError::invalid(message));
    }
    let mut seen = Seen::default();
    let layout = seen.scan(&mut scanner)?;
    let mut request = ChatRequest::new(Protocol::Anthropic, body, incoming.stamp, read_prompt);
    request.model = incoming.model.map(str::to_owned).or(seen.model);
    request.stream = seen.stream;
    // The protocol has no stream without usage.
    request.include_usage = true;
    for name in HEADERS {
        for value in incoming.headers.get_all(name) {
            let name = http::HeaderName::from_static(name);
            request.headers.push((name, value.clone()));
        }
    }
    request.layout = Layout::Anthropic(layout);
    Ok(request)
}

#[derive(Default)]
struct Seen {
    model: Option<String>,
    stream: bool,
}

impl Seen {
    fn scan(&mut self, scanner: &mut Scanner<'_>) -> Result<RequestLayout, ApiError> {
        let json = |error: JsonError| not_json(&error);
        let mut members = scanner.enter_object().map_err(json)?;
        let start = scanner.position();
        let mut model = None;
        let mut system = None;
        let mut messages = None;
        let mut state = false;
        let mut stream = false;
        while let Some(key) = scanner.next_member(&mut members).map_err(json)? {
            let key = key.decode();
            let again = match &*key {
                "model" => {
                    let span = self.scan_model(scanner)?;
                    model.replace(span).is_some()
                }
                "system" => {
                    let place = scan_system(scanner)?;
                    system.replace(place).is_some()
                }
                "messages" => {
                    let kind = scanner.peek().map_err(json)?;
                    if kind != Kind::Array {
                        return Err(wrong_type("messages", "an array of messages", kind));
                    }
                    let span = scanner.skip_value().map_err(json)?;
                    messages.replace(span).is_some()
                }
                "stream" => {
                    let kind = scanner.peek().map_err(json)?;
                    if !matches!(kind, Kind::Bool | Kind::Null) {
                        return Err(wrong_type("stream", "a boolean", kind));
                    }
                    let span = scanner.skip_value().map_err(json)?;
                    self.stream = &scanner.text()[span] == "true";
                    std::mem::replace(&mut stream, true)
                }
                other => {
                    let span = scanner.skip_value().map_err(json)?;
                    state |= is_state(Protocol::Anthropic, other, &scanner.text()[span]);
                    false
                }
            };
            if again {
                let message = format!("The parameter '{key}' is given twice.");
                return Err(ApiError::invalid(message).with_param(key.into_owned()));
            }
        }
        scanner.end().map_err(json)?;
        let messages = messages.ok_or_else(|| {
            ApiError::invalid("The parameter 'messages' is missing: give an array of messages.")
                .with_code("missing_required_parameter")
                .with_param("messages")
        })?;
        Ok(RequestLayout {
            start,
            model,
            messages,
            state,
            system: system.unwrap_or(SystemPlace::Absent),
        })
    }

    fn scan_model(&mut self, scanner: &mut Scanner<'_>) -> Result<Span, ApiError> {
        let json = |error: JsonError| not_json(&error);
        match scanner.peek().map_err(json)? {
            Kind::String => {
                let name = scanner.string().map_err(json)?;
                self.model = Some(name.decode().into_owned());
                Ok(name.span())
            }
            Kind::Null => scanner.skip_value().map_err(json),
            other => Err(wrong_type("model", "a string", other)),
        }
    }
}

fn scan_system(scanner: &mut Scanner<'_>) -> Result<SystemPlace, ApiError> {
    let json = |error: JsonError| not_json(&error);
    match scanner.peek().map_err(json)? {
        Kind::Null => Ok(SystemPlace::Empty(scanner.skip_value().map_err(json)?)),
        Kind::String => {
            let text = scanner.string().map_err(json)?;
            Ok(if text.is_empty() {
                SystemPlace::Empty(text.span())
            } else {
                SystemPlace::Text(text.span().end - 1)
            })
        }
        Kind::Array => {
            let start = scanner.position();
            let mut items = scanner.enter_array().map_err(json)?;
            let mut empty = true;
            while scanner.next_item(&mut items).map_err(json)? {
                empty = false;
                scanner.skip_value().map_err(json)?;
            }
            let end = scanner.position();
            Ok(if empty {
                SystemPlace::Empty(start..end)
            } else {
                SystemPlace::Blocks(end - 1)
            })
        }
        other => Err(wrong_type(
            "system",
            "a string or an array of blocks",
            other,
        )),
    }
}

fn wrong_type(param: &'static str, wanted: &str, found: Kind) -> ApiError {
    let message = format!(
        "The parameter '{param}' must be {wanted}, not {}.",
        found.name()
    );
    ApiError::invalid(message)
        .with_code("invalid_type")
        .with_param(param)
}

pub(crate) fn not_json(error: &JsonError) -> ApiError {
    ApiError::invalid(format!("The body is not valid JSON: {error}.")).with_code("invalid_json")
}
