//! Bodies of requests to the admin listener: JSON, and what is wrong with it told by its field.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use shared::policies::FieldError;

use super::problem::Problem;

/// At most so much, in bytes.
pub(super) const MAX_BODY: usize = 1 << 20;

/// A body that says it is JSON, or does not say what it is.
#[derive(Debug)]
pub(super) struct JsonBody(Bytes);

impl JsonBody {
    /// # Errors
    /// 400 where it is no JSON, 422 where it is none of this kind.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        // A list would be taken for an object's members in their order.
        if self.0.trim_ascii_start().starts_with(b"[") {
            let _: serde::de::IgnoredAny =
                serde_json::from_slice(&self.0).map_err(|error| mistake("", &error))?;
            let message = "The body must be an object, not a list.".to_owned();
            let field = String::new();
            return Err(Problem::about(
                StatusCode::UNPROCESSABLE_ENTITY,
                FieldError { field, message },
            ));
        }
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
pub(super) fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        mistake(&path, error.inner())
    })
}

fn mistake(path: &str, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    if error.classify() != Category::Data {
        return Problem::bad_request(format!("The body is not JSON: {message}."));
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
    let message = message.to_owned();
    Problem::about(
        StatusCode::UNPROCESSABLE_ENTITY,
        FieldError { field, message },
    )
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be `Content-Type: application/json`.",
            ));
        }
        match Bytes::from_request(request, state).await {
            Ok(body) => Ok(Self(body)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = format!("The body is longer than {MAX_BODY} bytes.");
                Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail))
            }
            Err(rejection) => Err(Problem::new(rejection.status(), rejection.body_text())),
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

    /// Status, field and message.
    fn wrong<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> (u16, String, String) {
        let body = JsonBody(Bytes::copy_from_slice(json.as_bytes()));
        body.parse::<T>().unwrap_err().first()
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
            (r#"[{"window_seconds": 60}, {}, true, false, null]"#, ""),
        ] {
            let (status, field, message) = wrong::<RateLimit>(json);
            assert_eq!(status, 422);
            assert_eq!(field, expected, "{json}: {message}");
            assert!(!message.contains("at line"), "{message}");
        }
        let (_, found, message) = wrong::<Guardrail>(
            r#"{"check": {"kind": "phrases", "phrases": 1}, "action": {"kind": "flag"}}"#,
        );
        assert!(found.starts_with("check"), "{found}: {message}");
    }

    #[test]
    fn what_is_not_json_has_none() {
        for json in [
            "",
            "{",
            "{\"rate\": }",
            "\u{0}",
            "{\"rate\": {\"window_seconds\": 1}} {}",
        ] {
            let (status, field, _) = wrong::<RateLimit>(json);
            assert_eq!((status, field.as_str()), (400, ""), "{json}");
        }
    }
}
