//! What a route needs of whoever calls it.

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use shared::access::{Area, Role};

use super::problem::Problem;
use crate::access::Operator;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Anybody, also before they are in.
    Nothing,
    /// Somebody with at least this role, to whom this part of the API is open.
    Role(Role, Area),
    /// Anybody who is in.
    Operator,
    /// Somebody with at least this role, and no token for some parts of the API only.
    Everywhere(Role),
}

impl Needs {
    /// Reading is for viewers, changing for editors.
    pub fn by_default(method: &Method, path: &str) -> Self {
        Self::Role(role_for(method), Area::of(path))
    }

    /// Why `operator` may not.
    pub(super) fn refusal(self, operator: Option<&Operator>) -> Option<Problem> {
        if self == Self::Nothing {
            return None;
        }
        let Some(operator) = operator else {
            return Some(Problem::new(StatusCode::UNAUTHORIZED, "Log in first."));
        };
        let (role, area) = match self {
            Self::Nothing | Self::Operator => return None,
            Self::Role(role, area) => (role, Some(area)),
            Self::Everywhere(role) => (role, None),
        };
        if operator.role < role {
            let detail = format!("This needs the role {role}: yours is {}.", operator.role);
            return Some(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        if !operator.is_within(area) {
            let detail = match area {
                Some(area) => format!("This token is not for the area {}.", area.as_str()),
                None => "This token is for some areas of the API only.".to_owned(),
            };
            return Some(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        None
    }

    /// Lets only those through who may.
    pub(super) async fn check(self, request: Request, next: Next) -> Response {
        match self.refusal(request.extensions().get::<Operator>()) {
            None => next.run(request).await,
            Some(problem) => problem.into_response(),
        }
    }
}

/// What the dashboard's pages and server functions need.
pub(super) async fn of_pages(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let needs = match path {
        _ if super::guard::is_public(path) => Needs::Nothing,
        // A cookie of the browser's own.
        "/ui/api/theme" => Needs::Everywhere(Role::Viewer),
        _ => Needs::Everywhere(role_for(request.method())),
    };
    needs.check(request, next).await
}

fn role_for(method: &Method) -> Role {
    if super::guard::is_safe(method) {
        Role::Viewer
    } else {
        Role::Editor
    }
}
