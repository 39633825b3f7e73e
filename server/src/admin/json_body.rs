//! Bodies of requests to the admin listener: JSON, and what is wrong with it told by its field.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use shared::policies::FieldError;

use super::problem::{about_fields, problem};

/// At most so much, in bytes.
pub(super) const MAX_BODY: usize = 1 << 20;

/// A body that says it is JSON, or does not say what it is.
#[derive(Debug)]
pub(super) struct JsonBody(Bytes);

/// Why a body is not what it should be.
#[derive(Debug)]
pub(super) enum Mistake {
    NotJson(String),
    Field(FieldError),
}

impl Mistake {
    /// The same status for both.
    pub fn with(&self, status: StatusCode) -> Response {
        match self {
            Self::NotJson(message) => problem(status, &format!("The body is not JSON: {message}.")),
            Self::Field(error) => {
                let detail = if error.field.is_empty() {
                    error.message.clone()
                } else {
                    format!("{}: {}", error.field, error.message)
                };
                about_fields(status, &detail, std::slice::from_ref(error))
            }
        }
    }

    pub fn response(&self) -> Response {
        self.with(match self {
            Self::NotJson(_) => StatusCode::BAD_REQUEST,
            Self::Field(_) => StatusCode::UNPROCESSABLE_ENTITY,
        })
    }
}

impl JsonBody {
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Mistake> {
        let mut json = serde_json::Deserializer::from_slice(&self.0);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            mistake(&path, error.inner())
        })?;
        json.end().map_err(|error| mistake("", &error))?;
        Ok(value)
    }
}

/// A value out of one that was JSON.
pub(super) fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Mistake> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        mistake(&path, error.inner())
    })
}

fn mistake(path: &str, error: &serde_json::Error) -> Mistake {
    let message = error.to_string();
    if error.classify() != Category::Data {
        return Mistake::NotJson(message);
    }
    // Where in the text it was is of no use to who sees a form.
    let message = match message.rsplit_once(" at line ") {
        Some((message, _)) => message,
        None => &message,
    };
    let mut field = if path == "." { "" } else { path }.to_owned();
    // What is missing has no path of its own: it is that of where it should be.
    if let Some(name) = message.strip_prefix("missing field `")
        && let Some((name, _)) = name.split_once('`')
    {
        if !field.is_empty() {
            field.push('.');
        }
        field.push_str(name);
    }
    Mistake::Field(FieldError {
        field,
        message: message.to_owned(),
    })
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        if !is_json(request.headers()) {
            return Err(problem(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be `Content-Type: application/json`.",
            ));
        }
        match Bytes::from_request(request, state).await {
            Ok(body) => Ok(Self(body)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = format!("The body is longer than {MAX_BODY} bytes.");
                Err(problem(StatusCode::PAYLOAD_TOO_LARGE, &detail))
            }
            Err(rejection) => Err(problem(rejection.status(), &rejection.body_text())),
        }
    }
}

/// `application/json`, `application/…+json`, or nothing.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let Ok(value) = value.to_str() else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use shared::policies::{Guardrail, RateLimit};

    use super::*;

    fn field<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> (String, String) {
        match JsonBody(Bytes::copy_from_slice(json.as_bytes())).parse::<T>() {
            Err(Mistake::Field(error)) => (error.field, error.message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mistake_has_its_field() {
        for (json, expected) in [
            (
                r#"{"rate": {"window_seconds": "60"}}"#,
                "rate.window_seconds",
            ),
            (r#"{"rate": {}}"#, "rate.window_seconds"),
            ("{}", "rate"),
            (r#"{"rate": {"window_seconds": 60}, "rates": 1}"#, "rates"),
            (
                r#"{"applies_to": {"keys": ["a", 1]}}"#,
                "applies_to.keys[1]",
            ),
            ("[]", ""),
        ] {
            let (field, message) = field::<RateLimit>(json);
            assert_eq!(field, expected, "{json}: {message}");
            assert!(!message.contains("at line"), "{message}");
        }
        let (found, message) = field::<Guardrail>(
            r#"{"check": {"kind": "phrases", "phrases": 1}, "action": {"kind": "flag"}}"#,
        );
        assert!(found.starts_with("check"), "{found}: {message}");
    }

    #[test]
    fn what_is_not_json_has_none() {
        for json in ["", "{", "{} {}", "{\"rate\": }", "\u{0}"] {
            let parsed = JsonBody(Bytes::copy_from_slice(json.as_bytes())).parse::<RateLimit>();
            match parsed {
                Err(Mistake::NotJson(_)) => {}
                // The first value of two is looked at before the second one.
                Err(Mistake::Field(error)) => {
                    assert_eq!((json, error.field.as_str()), ("{} {}", "rate"))
                }
                Ok(value) => panic!("{json}: {value:?}"),
            }
        }
    }
}
