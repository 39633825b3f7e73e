//! Errors of the admin listener, as RFC 9457 has them: <https://www.rfc-editor.org/rfc/rfc9457>

use std::any::Any;
use std::time::Duration;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use shared::AdminError;
use shared::policies::FieldError;

/// Why something was not done, as the caller is told: `{"title", "status", "detail", "errors": [{"field", "message"}]}`,
/// `errors` where it is about fields.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
}

/// A problem's JSON.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Problem")]
pub(super) struct Details {
    /// The status in words.
    title: &'static str,
    status: u16,
    /// What was wrong.
    detail: String,
    /// What was wrong with which fields, where it was about fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    pub fn about(status: StatusCode, error: FieldError) -> Self {
        let detail = if error.field.is_empty() {
            error.message.clone()
        } else {
            format!("{}: {}", error.field, error.message)
        };
        Self {
            status,
            detail,
            errors: vec![error],
        }
    }

    /// `None`: nothing is wrong.
    pub fn about_all(status: StatusCode, errors: Vec<FieldError>) -> Option<Self> {
        let first = errors.first()?.clone();
        Some(Self {
            errors,
            ..Self::about(status, first)
        })
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// Its status, the first field that it is about, and what is wrong with that.
    #[cfg(test)]
    pub fn first(&self) -> (u16, String, String) {
        let error = self.errors.first().cloned();
        let (field, message) = error
            .map(|error| (error.field, error.message))
            .unwrap_or_default();
        (self.status.as_u16(), field, message)
    }

    /// The same, as a bad request where it was about what was sent.
    pub fn into_bad_request(mut self) -> Self {
        if self.status == StatusCode::UNPROCESSABLE_ENTITY {
            self.status = StatusCode::BAD_REQUEST;
        }
        self
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        let status = match &error {
            AdminError::Invalid { fields, .. } if fields.is_empty() => StatusCode::BAD_REQUEST,
            AdminError::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            AdminError::NotFound { .. } => StatusCode::NOT_FOUND,
            AdminError::Conflict { .. } => StatusCode::CONFLICT,
            AdminError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            AdminError::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut problem = Self::new(status, error.to_string());
        if let AdminError::Invalid { fields, .. } = error {
            problem.errors = fields;
        }
        problem
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let details = Details {
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail,
            errors: self.errors,
        };
        let mut response = (self.status, axum::Json(details)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

/// A problem that is answered at once.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    Problem::new(status, detail).into_response()
}

/// Nothing is there.
pub(super) async fn unknown(method: Method, uri: Uri) -> Problem {
    let detail = format!("There is no {method} {}.", uri.path());
    Problem::new(StatusCode::NOT_FOUND, detail)
}

/// A path that is there, but not with this method.
pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}.", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}

/// Too many wrong tokens or passwords.
pub(super) fn too_many(retry_after: Duration) -> Response {
    let seconds = retry_after.as_secs_f64().ceil();
    let detail = format!("Too many wrong tokens or passwords: try again in {seconds} seconds.");
    let mut response = problem(StatusCode::TOO_MANY_REQUESTS, &detail);
    let value = HeaderValue::from_str(&seconds.to_string()).expect("a number is ASCII");
    response.headers_mut().insert(header::RETRY_AFTER, value);
    response
}

/// A bug of ours: whoever asked is told so, and the log has the rest.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    tracing::error!(message, "A request to the admin listener panicked");
    problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The gateway has a bug; its log says more.",
    )
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        async fn buggy() {
            panic!("on purpose");
        }
        let router = Router::new()
            .route("/", get(buggy))
            .layer(CatchPanicLayer::custom(panicked));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 500);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
}
