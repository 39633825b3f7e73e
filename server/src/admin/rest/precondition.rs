//! On what condition an edit is made: <https://www.rfc-editor.org/rfc/rfc9110#section-13>
//!
//! The tag of a policy is its version. `If-Match` with it: only if nobody has changed it since. `If-None-Match: *`: only
//! if there is none yet.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use shared::AdminError;
use shared::policies::{Edit, MAX_REASON, PolicyApi, PolicyEntry, PolicyKind};

use crate::access::Operator;
use crate::admin::problem::Problem;

static REASON: HeaderName = HeaderName::from_static("x-change-reason");

/// Who changes something, why, and on what condition.
#[derive(Clone, Debug)]
pub(in crate::admin) struct Conditional {
    by: Operator,
    reason: Option<String>,
    matching: Option<Tags>,
    new: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    /// `*`: there is one.
    Any,
    Versions(Vec<u64>),
}

#[derive(Deserialize)]
struct Reason {
    reason: Option<String>,
}

impl Conditional {
    /// The edit, if its condition holds just now for this policy.
    ///
    /// # Errors
    /// It does not: 412. Or it could not be found out.
    pub async fn edit(
        &self,
        api: &dyn PolicyApi,
        kind: PolicyKind,
        name: &str,
    ) -> Result<Edit, Problem> {
        let mut edit = self.unconditional();
        edit.new = self.new;
        if let Some(tags) = &self.matching {
            edit.seen = Some(seen(tags, api, kind, name).await?);
        }
        Ok(edit)
    }

    /// The edit of something that has a version, or is not there, if its condition holds just now.
    ///
    /// # Errors
    /// It does not: 412.
    pub fn edit_of(&self, there: Option<u64>, what: &str, name: &str) -> Result<Edit, Problem> {
        let mut edit = self.unconditional();
        edit.new = self.new;
        if self.new && there.is_some() {
            return Err(failed(format!("There is a {what} `{name}` already.")));
        }
        if let Some(tags) = &self.matching {
            let Some(version) = there else {
                return Err(failed(format!("There is no {what} `{name}`.")));
            };
            if !tags.contain(version) {
                return Err(failed(format!(
                    "The {what} `{name}` has been changed since: it is at version {version} now."
                )));
            }
            edit.seen = Some(version);
        }
        Ok(edit)
    }

    /// Why an edit from [`Self::edit_of`] was not made: 412 where its condition had ceased to hold when its turn came.
    /// `now`: the version that there is.
    pub fn lost(edit: &Edit, now: Option<u64>, error: AdminError) -> Problem {
        let is_new = edit.new && now.is_some();
        let has_changed = edit.seen.is_some() && edit.seen != now;
        match error {
            AdminError::Conflict { message } if is_new || has_changed => failed(message),
            error => error.into(),
        }
    }

    /// The edit, where there is nothing to compare with.
    pub fn unconditional(&self) -> Edit {
        Edit {
            by: self.by.as_str().to_owned(),
            reason: self.reason.clone(),
            seen: None,
            new: false,
        }
    }

    /// Why an edit was not made: 412 where its condition had ceased to hold when its turn came.
    pub async fn refusal(
        &self,
        api: &dyn PolicyApi,
        kind: PolicyKind,
        name: &str,
        edit: &Edit,
        error: AdminError,
    ) -> Problem {
        if matches!(error, AdminError::Conflict { .. }) && (self.new || edit.seen.is_some()) {
            let there = api.policy(kind, name).await.ok();
            let is_so = self.new || there.map(|entry| entry.version) != edit.seen;
            if is_so {
                return failed(error.to_string());
            }
        }
        error.into()
    }
}

impl Tags {
    fn contain(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

fn failed(detail: String) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, detail)
}

async fn seen(
    tags: &Tags,
    api: &dyn PolicyApi,
    kind: PolicyKind,
    name: &str,
) -> Result<u64, Problem> {
    let entry = match api.policy(kind, name).await {
        Ok(entry) => entry,
        Err(error @ AdminError::NotFound { .. }) => {
            return Err(failed(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    match tags {
        Tags::Versions(versions) if !versions.contains(&entry.version) => {
            let detail = format!(
                "The {} `{name}` has been changed since: it is at version {} now.",
                kind.label(),
                entry.version
            );
            Err(failed(detail))
        }
        _ => Ok(entry.version),
    }
}

/// Adds the tag of a policy.
pub(super) fn tagged(response: Response, entry: &PolicyEntry) -> Response {
    versioned(response, entry.version)
}

/// Adds the tag of a version.
pub(super) fn versioned(mut response: Response, version: u64) -> Response {
    let tag = format!("\"{version}\"");
    let value = HeaderValue::from_str(&tag).expect("a number is ASCII");
    response.headers_mut().insert(header::ETAG, value);
    response
}

impl<S: Send + Sync> FromRequestParts<S> for Conditional {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let headers = &parts.headers;
        let Some(by) = parts.extensions.get::<Operator>().cloned() else {
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "Log in first."));
        };
        let matching = tags(headers, &header::IF_MATCH)?;
        let new = match tags(headers, &header::IF_NONE_MATCH)? {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::Versions(_)) => {
                return Err(Problem::bad_request(
                    "Of If-None-Match, `*` is understood with edits: there must not be one yet.",
                ));
            }
        };
        let reason = match headers.get(&REASON) {
            Some(value) => Some(text(value)?.to_owned()),
            None => {
                let query = Query::<Reason>::from_request_parts(parts, state).await;
                query?.0.reason
            }
        };
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        if reason
            .as_ref()
            .is_some_and(|reason| reason.chars().count() > MAX_REASON)
        {
            let detail = format!("The reason is longer than {MAX_REASON} characters.");
            return Err(Problem::bad_request(detail));
        }
        Ok(Self {
            by,
            reason,
            matching,
            new,
        })
    }
}

fn text(value: &HeaderValue) -> Result<&str, Problem> {
    std::str::from_utf8(value.as_bytes())
        .map_err(|_| Problem::bad_request("A header is not UTF-8."))
}

/// A header's tags. One that is weak or none of ours matches nothing.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let mut versions = None;
    for value in headers.get_all(name) {
        for tag in text(value)?.split(',').map(str::trim) {
            if tag == "*" {
                return Ok(Some(Tags::Any));
            }
            let quoted: Option<u64> = tag
                .strip_prefix('"')
                .and_then(|tag| tag.strip_suffix('"'))
                .and_then(|tag| tag.parse().ok());
            versions.get_or_insert_with(Vec::new).extend(quoted);
        }
    }
    Ok(versions.map(Tags::Versions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tags() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, HeaderValue::from_static(value));
            tags(&headers, &header::IF_MATCH).unwrap()
        };
        assert_eq!(read("*"), Some(Tags::Any));
        assert_eq!(read("\"3\""), Some(Tags::Versions(vec![3])));
        assert_eq!(read("\"3\", \"4\""), Some(Tags::Versions(vec![3, 4])));
        for none in ["W/\"3\"", "3", "\"abc\"", ""] {
            assert_eq!(read(none), Some(Tags::Versions(vec![])), "{none}");
        }
        assert_eq!(tags(&HeaderMap::new(), &header::IF_MATCH).unwrap(), None);
    }
}
