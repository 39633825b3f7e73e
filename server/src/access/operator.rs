//! Who asks.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use shared::access::{Area, Grant, Me, Role};

/// Somebody whom the admin listener has let in: an extension of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    name: Arc<str>,
    pub role: Role,
    pub via: Via,
    /// The user; `None`: whoever has the admin token.
    user: Option<Arc<str>>,
    /// The only parts of the API that are open; `None`: all are.
    areas: Option<Arc<[Area]>>,
    until: Option<DateTime<Utc>>,
    session: Option<String>,
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
            user: None,
            areas: None,
            until: None,
            session: None,
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

    pub fn of_user(self, user: Arc<str>) -> Self {
        let user = Some(user);
        Self { user, ..self }
    }

    /// In these areas only.
    pub fn within(self, areas: Option<Arc<[Area]>>) -> Self {
        Self { areas, ..self }
    }

    pub fn until(self, until: Option<DateTime<Utc>>) -> Self {
        Self { until, ..self }
    }

    pub fn in_session(self, id: &str) -> Self {
        let session = Some(id.to_owned());
        Self { session, ..self }
    }

    /// The name in the list of changes.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The user; `None`: whoever has the admin token.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether a part of the API is open; `None`: something that belongs to no part.
    pub fn is_within(&self, area: Option<Area>) -> bool {
        match (&self.areas, area) {
            (None, _) => true,
            (Some(areas), Some(area)) => areas.contains(&area),
            (Some(_), None) => false,
        }
    }

    /// The most that they can give to others.
    pub fn grant(&self) -> Grant {
        Grant {
            user: self.user.as_deref().map(str::to_owned),
            role: self.role,
            areas: self.areas.as_deref().map(<[Area]>::to_vec),
            until: self.until,
            session: self.session.clone(),
            has_admin_token: self.user.is_none() && self.via != Via::ApiToken,
        }
    }

    pub fn me(&self) -> Me {
        Me {
            name: self.name.to_string(),
            via: match self.via {
                Via::Session => "session",
                Via::ApiToken => "api_token",
                Via::AdminToken => "admin_token",
            }
            .to_owned(),
            grant: self.grant(),
        }
    }
}
