//! The simulated provider's replies that are no answer.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderValue, RETRY_AFTER};
use serde_json::{Value, json};

use super::{Fault, SimulatedReply, Step, Unconnected, json_reply, with_type};

/// What is said of a fault that leaves nothing of the answer. `None`: the answer begins.
pub(super) fn refusal(fault: Fault) -> Option<SimulatedReply> {
    Some(match fault {
        Fault::Refuse => unconnected(Unconnected::Refused),
        Fault::BlackHole => unconnected(Unconnected::BlackHole),
        Fault::DnsFailure => unconnected(Unconnected::UnknownHost),
        Fault::TlsFailure => unconnected(Unconnected::Untrusted),
        Fault::StallBeforeHead => SimulatedReply {
            before_head: vec![Step::Stall],
            ..json_reply(200, &Value::Null)
        },
        Fault::WrongContentType => with_type(
            200,
            "text/html; charset=utf-8",
            Bytes::from_static(
                b"<!doctype html><title>Simulated</title><p>Not what was asked for.",
            ),
        ),
        Fault::RateLimit => {
            let mut reply = with_status(fault)?;
            let wait = HeaderValue::from_static("1");
            reply.headers.insert(RETRY_AFTER, wait);
            reply
        }
        other => with_status(other)?,
    })
}

/// Status, OpenAI's `type` and `code`, and what it says.
fn with_status(fault: Fault) -> Option<SimulatedReply> {
    const INVALID: &str = "invalid_request_error";
    const TOO_MANY: (u16, &str, &str, &str) = (
        429,
        "rate_limit_error",
        "rate_limit_exceeded",
        "too many requests",
    );
    let (status, kind, code, message) = match fault {
        Fault::RateLimit | Fault::RateLimitWithoutRetryAfter => TOO_MANY,
        Fault::RequestTimeout => (408, INVALID, "request_timeout", "the request took too long"),
        Fault::Quota => (
            429,
            "insufficient_quota",
            "insufficient_quota",
            "the quota is used up",
        ),
        Fault::QuotaForbidden => (
            403,
            INVALID,
            "forbidden",
            "your credit balance is too low to ask anything",
        ),
        Fault::PaymentRequired => (402, INVALID, "payment_required", "the account owes money"),
        Fault::Unauthorized => (401, INVALID, "invalid_api_key", "the API key is refused"),
        Fault::Forbidden => (
            403,
            INVALID,
            "permission_denied",
            "the API key may not do this",
        ),
        Fault::ModelNotFound => (404, INVALID, "model_not_found", "there is no such model"),
        Fault::InvalidRequest => (400, INVALID, "invalid_value", "the request is wrong"),
        Fault::ContextLength => (
            400,
            INVALID,
            "context_length_exceeded",
            "the maximum context length is exceeded",
        ),
        Fault::ContentFilter => (
            400,
            INVALID,
            "content_filter",
            "the prompt is refused for what it says",
        ),
        Fault::ServerError => (500, "server_error", "internal_error", "the server failed"),
        Fault::Overloaded => (
            503,
            "server_error",
            "service_unavailable",
            "the server is overloaded",
        ),
        _ => return None,
    };
    Some(failure(
        status,
        kind,
        code,
        &format!("Simulated: {message}."),
    ))
}

/// An error object, as OpenAI writes it.
pub(super) fn failure(status: u16, kind: &str, code: &str, message: &str) -> SimulatedReply {
    let error = json!({"message": message, "type": kind, "param": null, "code": code});
    json_reply(status, &json!({ "error": error }))
}

fn unconnected(why: Unconnected) -> SimulatedReply {
    SimulatedReply {
        unconnected: Some(why),
        steps: Vec::new(),
        ..json_reply(200, &Value::Null)
    }
}

/// Makes a reply late where that is its fault.
pub(super) fn delay(reply: &mut SimulatedReply, fault: Fault, delay: Duration) {
    match fault {
        Fault::SlowHeaders => reply.before_head.push(Step::Wait(delay)),
        Fault::SlowFirstToken => reply.steps.insert(0, Step::Wait(delay)),
        _ => {}
    }
}
