//! Who asks.

use std::sync::Arc;

use shared::access::{Area, Role};

/// Somebody whom the admin listener has let in: an extension of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    name: Arc<str>,
    pub role: Role,
    pub via: Via,
    /// The only parts of the API that are open; `None`: all are.
    areas: Option<Arc<[Area]>>,
}

/// How somebody came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Logged in, in a browser.
    Session,
    /// A program, with an API token.
    ApiToken,
    /// A program, with the admin token.
    AdminToken,
}

impl Operator {
    pub fn new(name: impl Into<Arc<str>>, role: Role, via: Via) -> Self {
        Self {
            name: name.into(),
            role,
            via,
            areas: None,
        }
    }

    /// Whoever has the admin token may do everything.
    pub fn with_admin_token(via: Via) -> Self {
        let name = match via {
            Via::Session => "admin",
            Via::ApiToken | Via::AdminToken => "token",
        };
        Self::new(name, Role::Admin, via)
    }

    /// In these areas only.
    pub fn within(self, areas: Option<Arc<[Area]>>) -> Self {
        Self { areas, ..self }
    }

    /// The name in the list of changes.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The only parts of the API that are open; `None`: all are.
    pub fn areas(&self) -> Option<&[Area]> {
        self.areas.as_deref()
    }

    /// Whether a part of the API is open; `None`: something that belongs to no part.
    pub fn is_within(&self, area: Option<Area>) -> bool {
        match (&self.areas, area) {
            (None, _) => true,
            (Some(areas), Some(area)) => areas.contains(&area),
            (Some(_), None) => false,
        }
    }
}
