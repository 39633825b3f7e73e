//! An upstream that is not there: OpenAI Chat Completions with made-up answers, for a first try without
//! a key, for tests, benchmarks and rehearsals.
//!
//! It echoes the last user message, says that it is simulated, and honours `stream`,
//! `stream_options.include_usage`, `tools` and `tool_choice`, `response_format`, image parts, `n`,
//! `max_tokens`, `max_completion_tokens` and `stop`. Tokens are counted as four bytes each. What goes
//! wrong is chosen by [`SimulatedSettings::fault`] or by the model's name: see [`Fault`].

mod answer;
mod body;
mod fault;
mod refusal;
mod request;
mod schema;
mod settings;

pub use fault::Fault;
pub use settings::SimulatedSettings;

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use self::refusal::{delay, failure, refusal};
use self::request::Request;

/// What the made-up server does, in order.
#[derive(Clone, Debug)]
pub struct SimulatedReply {
    /// There is no connection, and nothing of the rest.
    pub unconnected: Option<Unconnected>,
    pub status: u16,
    pub headers: HeaderMap,
    /// Before the head is sent; with a `Stall` there never is a head.
    pub before_head: Vec<Step>,
    /// The body.
    pub steps: Vec<Step>,
}

/// Why no connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unconnected {
    /// Nobody listens.
    Refused,
    /// Nobody says anything.
    BlackHole,
    /// The host's name is not known.
    UnknownHost,
    /// The TLS handshake fails.
    Untrusted,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Wait(Duration),
    Send(Bytes),
    /// Nothing more comes, and the connection stays open.
    Stall,
    /// The connection breaks.
    Cut,
}

/// What the simulated provider answers to a request for `path` (relative to its base URL:
/// `/chat/completions` or `/models`). The same request always gets the same reply; `now` is only what
/// `created` says, in seconds since 1970. The list of models suffers from the faults that come before
/// an answer, as it would at a real server.
pub fn reply(path: &str, body: &[u8], settings: &SimulatedSettings, now: i64) -> SimulatedReply {
    match path {
        "/models" => {
            let listed = || json_reply(200, &models());
            let mut reply = refusal(settings.fault).unwrap_or_else(listed);
            delay(&mut reply, settings.fault, settings.delay);
            reply
        }
        "/chat/completions" => chat(body, settings, now),
        _ => failure(
            404,
            "invalid_request_error",
            "unknown_url",
            &format!("The simulated provider has no {path}."),
        ),
    }
}

fn chat(body: &[u8], settings: &SimulatedSettings, now: i64) -> SimulatedReply {
    let request: Request = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => {
            let message = format!("The simulated provider cannot read the request: {error}.");
            return failure(400, "invalid_request_error", "invalid_request", &message);
        }
    };
    let fault = match request.model.strip_prefix("simulated:").map(Fault::find) {
        None => settings.fault,
        Some(Some(fault)) => fault,
        Some(None) => {
            let known: Vec<_> = Fault::all().map(Fault::name).collect();
            let message = format!(
                "The simulated provider has no model {:?}: it is `simulated`, or `simulated:` and one of {}.",
                request.model,
                known.join(", ")
            );
            return failure(404, "invalid_request_error", "model_not_found", &message);
        }
    };
    let mut reply = match refusal(fault) {
        Some(refused) => refused,
        None => answered(&request, body, fault, settings, now),
    };
    delay(&mut reply, fault, settings.delay);
    if !settings.first_token.is_zero() {
        reply
            .before_head
            .insert(0, Step::Wait(settings.first_token));
    }
    let id = HeaderValue::try_from(format!("req_sim_{:016x}", hash(body)));
    if let Ok(id) = id {
        reply
            .headers
            .insert(HeaderName::from_static("x-request-id"), id);
    }
    reply
}

/// A reply, and what goes wrong on its way.
fn answered(
    request: &Request,
    body: &[u8],
    fault: Fault,
    settings: &SimulatedSettings,
    now: i64,
) -> SimulatedReply {
    const ERROR: &[u8] =
        br#"{"error":{"message":"Simulated: the reply failed.","type":"server_error","param":null,"code":"internal_error"}}"#;
    let streams = request.stream.unwrap_or(false);
    let (content_type, error) = if streams {
        let event = [b"data: ", ERROR, b"\n\n"].concat();
        ("text/event-stream; charset=utf-8", Bytes::from(event))
    } else {
        ("application/json", Bytes::from_static(ERROR))
    };
    let answers = answer::answers(request);
    let head = body::Head {
        id: format!("chatcmpl-sim{:016x}", hash(body)),
        created: now,
        model: &request.model,
    };
    let pieces = if streams {
        body::chunks(request, &head, &answers)
    } else {
        let whole = body::whole(request, &head, &answers);
        let half = whole.len() / 2;
        vec![whole.slice(..half), whole.slice(half..)]
    };
    let half = pieces.len().div_ceil(2);
    let (sent, last): (&[Bytes], Option<Step>) = match fault {
        Fault::Garbage if streams => (
            &[],
            Some(Step::Send(Bytes::from_static(b"data: {]not JSON\n\n"))),
        ),
        Fault::Garbage => (
            &[],
            Some(Step::Send(Bytes::from_static(b"\0\xff{]not JSON"))),
        ),
        Fault::CutBeforeFirstEvent => (&[], Some(Step::Cut)),
        Fault::ErrorInSuccess => (&[], Some(Step::Send(error))),
        Fault::ErrorInStream if streams => (&pieces[..half], Some(Step::Send(error))),
        Fault::ErrorInStream => (&[], Some(Step::Send(error))),
        Fault::Stall => (&pieces[..half], Some(Step::Stall)),
        Fault::Cut => (&pieces[..half], Some(Step::Cut)),
        _ => (&pieces, None),
    };
    let mut reply = with_type(200, content_type, Bytes::new());
    reply.steps.clear();
    for (at, piece) in sent.iter().enumerate() {
        if at > 0 && streams && !settings.between_chunks.is_zero() {
            reply.steps.push(Step::Wait(settings.between_chunks));
        }
        reply.steps.push(Step::Send(piece.clone()));
    }
    reply.steps.extend(last);
    reply
}

fn models() -> Value {
    let faults = Fault::all().map(|fault| format!("simulated:{}", fault.name()));
    let names = std::iter::once("simulated".to_owned()).chain(faults);
    let models: Vec<_> = names
        .map(|id| json!({"id": id, "object": "model", "created": 0, "owned_by": "simulated"}))
        .collect();
    json!({"object": "list", "data": models})
}

fn json_reply(status: u16, body: &Value) -> SimulatedReply {
    with_type(status, "application/json", Bytes::from(body.to_string()))
}

fn with_type(status: u16, content_type: &'static str, body: Bytes) -> SimulatedReply {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    SimulatedReply {
        unconnected: None,
        status,
        headers,
        before_head: Vec::new(),
        steps: vec![Step::Send(body)],
    }
}

/// FNV-1a: the same in every build.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
