//! A request's body.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::chat::{ChatRequest, Layout, Prompt, Protocol};
use crate::dialect::Incoming;
use crate::error::ApiError;
use crate::json::{JsonError, Kind, Scanner, Span};
use crate::wire::state::is_state;

/// Where in a body the values stand that a codec may have to change.
#[derive(Clone, Debug)]
pub(crate) struct RequestLayout {
    /// After the body's opening brace: where new members go.
    pub start: usize,
    /// The value of `model`.
    pub model: Option<Span>,
    /// The value of `messages`.
    pub messages: Span,
    /// Something is asked for beside an answer, see [`is_state`].
    pub state: bool,
    pub stream_options: StreamOptions,
    /// Where a system message goes: after the client's leading system and developer messages.
    pub system: usize,
    /// Whether messages stand before and after that place.
    pub system_neighbours: (bool, bool),
    /// The client gives `functions`, the old way, and expects `function_call`.
    pub legacy_functions: bool,
}

/// What a body says of `stream_options`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StreamOptions {
    Absent,
    Null(Span),
    /// An object that does not say `include_usage`.
    Object {
        /// After its opening brace.
        start: usize,
        empty: bool,
    },
    /// The value of `include_usage`.
    IncludeUsage(Span),
}

/// Reads a body once, from end to end; `read` is how all of it is read.
pub(crate) fn scan_request(
    incoming: Incoming<'_>,
    read: fn(&ChatRequest) -> Result<Prompt, ApiError>,
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
    let mut request = ChatRequest::new(Protocol::OpenAiChat, body, incoming.stamp, read);
    // A path that names a model is more particular than a body that has to name one.
    request.model = incoming.model.map(str::to_owned).or(seen.model);
    request.stream = seen.stream;
    request.include_usage = seen.include_usage;
    request.choices = seen.choices.unwrap_or(1);
    request.layout = Layout::OpenAiChat(layout);
    Ok(request)
}

#[derive(Default)]
struct Seen {
    model: Option<String>,
    stream: bool,
    include_usage: bool,
    choices: Option<u32>,
}

/// The keys seen so far. Looking through a few is quicker than hashing them; a body with many must
/// not cost their square.
#[derive(Default)]
struct Keys<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    const FEW: usize = 32;

    /// # Errors
    /// The key, if it was there before.
    fn insert(&mut self, key: Cow<'a, str>) -> Result<(), Cow<'a, str>> {
        if self.few.contains(&key) || !self.many.is_empty() && self.many.contains(&key) {
            return Err(key);
        }
        if self.few.len() < Self::FEW {
            self.few.push(key);
        } else {
            self.many.insert(key);
        }
        Ok(())
    }
}

/// What was found of `messages`.
struct Messages {
    span: Span,
    system: usize,
    neighbours: (bool, bool),
}

impl Seen {
    fn scan(&mut self, scanner: &mut Scanner<'_>) -> Result<RequestLayout, ApiError> {
        let json = |error: JsonError| not_json(&error);
        let mut members = scanner.enter_object().map_err(json)?;
        let start = scanner.position();
        let mut keys = Keys::default();
        let mut model = None;
        let mut messages = None;
        let mut state = false;
        let mut legacy_functions = false;
        let mut stream_options = StreamOptions::Absent;
        while let Some(key) = scanner.next_member(&mut members).map_err(json)? {
            let key = key.decode();
            match &*key {
                "model" => {
                    let name = optional(scanner, "model", Kind::String)?.map(|_| scanner.string());
                    if let Some(name) = name {
                        let name = name.map_err(json)?;
                        self.model = Some(name.decode().into_owned());
                        model = Some(name.span());
                    } else {
                        model = Some(scanner.skip_value().map_err(json)?);
                    }
                }
                "messages" => messages = Some(scan_messages(scanner)?),
                "stream" => self.stream = boolean(scanner, "stream")?.0,
                "stream_options" => stream_options = self.scan_stream_options(scanner)?,
                "functions" => {
                    scanner.skip_value().map_err(json)?;
                    legacy_functions = true;
                }
                "n" => self.choices = scan_n(scanner)?,
                other => {
                    let span = scanner.skip_value().map_err(json)?;
                    state |= is_state(Protocol::OpenAiChat, other, &scanner.text()[span]);
                }
            }
            if let Err(key) = keys.insert(key) {
                let message = format!("The parameter '{}' is given twice.", shortened(&key));
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
            messages: messages.span,
            state,
            stream_options,
            system: messages.system,
            system_neighbours: messages.neighbours,
            legacy_functions,
        })
    }

    fn scan_stream_options(
        &mut self,
        scanner: &mut Scanner<'_>,
    ) -> Result<StreamOptions, ApiError> {
        let json = |error: JsonError| not_json(&error);
        if optional(scanner, "stream_options", Kind::Object)?.is_none() {
            return scanner.skip_value().map(StreamOptions::Null).map_err(json);
        }
        let mut members = scanner.enter_object().map_err(json)?;
        let start = scanner.position();
        let mut empty = true;
        let mut found = None;
        while let Some(key) = scanner.next_member(&mut members).map_err(json)? {
            empty = false;
            if !key.is("include_usage") {
                scanner.skip_value().map_err(json)?;
                continue;
            }
            let param = "stream_options.include_usage";
            if found.is_some() {
                let message = format!("The parameter '{param}' is given twice.");
                return Err(ApiError::invalid(message).with_param(param));
            }
            let (value, span) = boolean(scanner, param)?;
            self.include_usage = value;
            found = Some(span);
        }
        Ok(found.map_or(
            StreamOptions::Object { start, empty },
            StreamOptions::IncludeUsage,
        ))
    }
}

fn scan_messages(scanner: &mut Scanner<'_>) -> Result<Messages, ApiError> {
    let json = |error: JsonError| not_json(&error);
    let kind = scanner.peek().map_err(json)?;
    if kind != Kind::Array {
        return Err(wrong_type("messages", "an array of messages", kind));
    }
    let start = scanner.position();
    let mut items = scanner.enter_array().map_err(json)?;
    let mut system = scanner.position();
    let (mut leading, mut before, mut after) = (true, false, false);
    let mut index = 0_usize;
    while scanner.next_item(&mut items).map_err(json)? {
        let kind = scanner.peek().map_err(json)?;
        if kind != Kind::Object {
            return Err(wrong_type(format!("messages[{index}]"), "an object", kind));
        }
        if leading && is_system(scanner, index)? {
            system = scanner.position();
            before = true;
        } else {
            if !std::mem::take(&mut leading) {
                scanner.skip_value().map_err(json)?;
            }
            after = true;
        }
        index += 1;
    }
    Ok(Messages {
        span: start..scanner.position(),
        system,
        neighbours: (before, after),
    })
}

/// Reads a whole message and says whether it is the system's.
fn is_system(scanner: &mut Scanner<'_>, index: usize) -> Result<bool, ApiError> {
    let json = |error: JsonError| not_json(&error);
    let mut members = scanner.enter_object().map_err(json)?;
    let mut system = None;
    while let Some(key) = scanner.next_member(&mut members).map_err(json)? {
        if !key.is("role") {
            scanner.skip_value().map_err(json)?;
            continue;
        }
        let param = || format!("messages[{index}].role");
        let kind = scanner.peek().map_err(json)?;
        if kind != Kind::String {
            return Err(wrong_type(param(), "a string", kind));
        }
        let role = scanner.string().map_err(json)?;
        let is_system = role.is("system") || role.is("developer");
        if system.replace(is_system).is_some() {
            let param = param();
            let message = format!("The parameter '{param}' is given twice.");
            return Err(ApiError::invalid(message).with_param(param));
        }
    }
    Ok(system.unwrap_or(false))
}

fn scan_n(scanner: &mut Scanner<'_>) -> Result<Option<u32>, ApiError> {
    let json = |error: JsonError| not_json(&error);
    let kind = optional(scanner, "n", Kind::Number)?;
    let span = scanner.skip_value().map_err(json)?;
    if kind.is_none() {
        return Ok(None);
    }
    match scanner.text()[span.clone()].parse() {
        Ok(n @ 1..) => Ok(Some(n)),
        _ => {
            let given = shortened(&scanner.text()[span]);
            let message =
                format!("The parameter 'n' must be a whole number of at least 1, not {given}.");
            Err(ApiError::invalid(message).with_param("n"))
        }
    }
}

/// A boolean that may be null, and where it stands.
fn boolean(scanner: &mut Scanner<'_>, param: &'static str) -> Result<(bool, Span), ApiError> {
    optional(scanner, param, Kind::Bool)?;
    let span = scanner.skip_value().map_err(|error| not_json(&error))?;
    Ok((&scanner.text()[span.clone()] == "true", span))
}

/// What comes next must be `kind` or null.
fn optional(
    scanner: &mut Scanner<'_>,
    param: &'static str,
    kind: Kind,
) -> Result<Option<Kind>, ApiError> {
    match scanner.peek().map_err(|error| not_json(&error))? {
        Kind::Null => Ok(None),
        found if found == kind => Ok(Some(found)),
        found => Err(wrong_type(param, kind.name(), found)),
    }
}

fn wrong_type(param: impl Into<Cow<'static, str>>, wanted: &str, found: Kind) -> ApiError {
    let param = param.into();
    let message = format!(
        "The parameter '{param}' must be {wanted}, not {}.",
        found.name()
    );
    ApiError::invalid(message)
        .with_code("invalid_type")
        .with_param(param)
}

fn not_json(error: &JsonError) -> ApiError {
    ApiError::invalid(format!("The body is not valid JSON: {error}.")).with_code("invalid_json")
}

/// At most 64 bytes of what a client wrote.
fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(64)]
}
