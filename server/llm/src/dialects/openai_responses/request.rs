//! What of a request's body everybody has to know.

use http::HeaderName;

use super::prompt;
use crate::chat::{ChatRequest, Protocol};
use crate::dialect::Incoming;
use crate::error::ApiError;
use crate::json::{Kind, Object, Scanner};

/// Of the protocol, and of no interest to anybody but its upstream.
const PASSED_ON: [HeaderName; 1] = [HeaderName::from_static("openai-beta")];

/// What stands for `input`, each in its own way.
const INSTEAD_OF_INPUT: [&str; 3] = ["prompt", "previous_response_id", "conversation"];

pub(super) fn decode(incoming: Incoming<'_>) -> Result<ChatRequest, ApiError> {
    let body = incoming.body;
    let not_json = |error| {
        ApiError::invalid(format!("The body is not valid JSON: {error}.")).with_code("invalid_json")
    };
    let kind = Scanner::from_utf8(&body)
        .and_then(|mut scanner| scanner.peek())
        .map_err(not_json)?;
    if kind != Kind::Object {
        let message = format!("The body must be a JSON object, not {}.", kind.name());
        return Err(ApiError::invalid(message));
    }
    let object = Object::scan(body.clone()).map_err(not_json)?;
    let member = |key: &str| {
        let written = object.get(key)?;
        (written != b"null").then_some(written)
    };
    match member("input").and_then(<[u8]>::first) {
        Some(b'"' | b'[') => {}
        Some(_) => {
            let message = "The parameter 'input' must be a string or an array of items.";
            let error = ApiError::invalid(message).with_code("invalid_type");
            return Err(error.with_param("input"));
        }
        None if INSTEAD_OF_INPUT.iter().any(|key| member(key).is_some()) => {}
        None => {
            let message = "The parameter 'input' is missing: give a string or an array of items.";
            let error = ApiError::invalid(message).with_code("missing_required_parameter");
            return Err(error.with_param("input"));
        }
    }
    let model = match member("model") {
        None => None,
        Some(written) => Some(serde_json::from_slice::<String>(written).map_err(|_| {
            let message = "The parameter 'model' must be a string.";
            let error = ApiError::invalid(message).with_code("invalid_type");
            error.with_param("model")
        })?),
    };
    let stream = match member("stream") {
        None | Some(b"false") => false,
        Some(b"true") => true,
        Some(_) => {
            let message = "The parameter 'stream' must be a boolean.";
            let error = ApiError::invalid(message).with_code("invalid_type");
            return Err(error.with_param("stream"));
        }
    };
    let mut request = ChatRequest::new(
        Protocol::OpenAiResponses,
        body,
        incoming.stamp,
        prompt::read,
    );
    request.model = incoming.model.map(str::to_owned).or(model);
    request.stream = stream;
    // The last event always tells it.
    request.include_usage = true;
    for name in PASSED_ON {
        let values = incoming.headers.get_all(&name).iter();
        request
            .headers
            .extend(values.map(|value| (name.clone(), value.clone())));
    }
    Ok(request)
}
