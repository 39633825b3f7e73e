//! Long lists in pages: `?after=NAME&limit=N`, and where to go on in a `Link` header
//! (<https://www.rfc-editor.org/rfc/rfc8288>).

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::policies::{Policy, PolicyEntry, PolicyKind};

use crate::admin::problem::Problem;

/// At most so many things in one answer.
pub(super) const MOST: usize = 1000;

/// Which part of a list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::admin) struct Page {
    /// The name of the last one that is known already.
    after: Option<String>,
    /// 1 to 1000.
    limit: Option<usize>,
    /// Of keys: those of this project.
    project: Option<String>,
    /// Of keys: those with this tag.
    tag: Option<String>,
}

/// `?after=NAME&limit=N` of lists in the order of their names.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::admin) struct Cursor {
    /// The name of the last one that is known already.
    after: Option<String>,
    /// 1 to 1000.
    limit: Option<usize>,
}

impl Cursor {
    /// Its part of a list, which is at `path`.
    pub fn of<T: Serialize>(
        &self,
        path: &str,
        mut entries: Vec<T>,
        name: impl Fn(&T) -> &str,
    ) -> Response {
        let limit = clamped(self.limit);
        if let Some(after) = &self.after {
            entries.retain(|entry| name(entry) > after.as_str());
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| more);
        let next = last.map(|last| {
            let after = encoded(name(last));
            format!("<{path}?after={after}&limit={limit}>; rel=\"next\"")
        });
        let mut response = Json(entries).into_response();
        if let Some(next) = next {
            let value = HeaderValue::from_str(&next).expect("it is percent-encoded");
            response.headers_mut().insert(header::LINK, value);
        }
        response
    }
}

/// `?limit=N` of lists that have no pages.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::admin) struct Limit {
    /// 1 to 1000.
    limit: Option<usize>,
}

impl Limit {
    pub fn get(&self) -> usize {
        clamped(self.limit)
    }
}

/// What is asked for, unless that is nothing or too much.
pub(super) fn clamped(limit: Option<usize>) -> usize {
    limit.unwrap_or(MOST).clamp(1, MOST)
}

impl Page {
    /// Its part of all policies of a kind.
    ///
    /// # Errors
    /// `after` is gone, from a list with an order of its own.
    pub fn of(&self, kind: PolicyKind, entries: Vec<PolicyEntry>) -> Result<Response, Problem> {
        self.of_with(kind, entries, |entry| entry)
    }

    /// The same, each as it is `told`.
    pub fn of_with<T: Serialize>(
        &self,
        kind: PolicyKind,
        mut entries: Vec<PolicyEntry>,
        told: impl Fn(PolicyEntry) -> T,
    ) -> Result<Response, Problem> {
        let limit = clamped(self.limit);
        entries.retain(|entry| self.is_about(entry));
        if let Some(after) = &self.after {
            // Keys are in the order of their names: then it does not matter whether the last one is still there.
            let place = match entries.iter().position(|entry| entry.name == *after) {
                Some(place) => place + 1,
                None if is_by_name(kind) => entries.partition_point(|entry| entry.name <= *after),
                None => {
                    let detail = format!("There is no {} `{after}`.", kind.label());
                    return Err(Problem::bad_request(detail));
                }
            };
            entries.drain(..place);
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(|last| {
            let mut link = format!(
                "</api/v1/{}?after={}&limit={limit}",
                kind.path(),
                encoded(&last.name)
            );
            for (name, value) in [("project", &self.project), ("tag", &self.tag)] {
                if let Some(value) = value {
                    link.push_str(&format!("&{name}={}", encoded(value)));
                }
            }
            link + ">; rel=\"next\""
        });
        let told: Vec<T> = entries.into_iter().map(told).collect();
        let mut response = Json(told).into_response();
        if let Some(next) = next {
            let value = HeaderValue::from_str(&next).expect("it is percent-encoded");
            response.headers_mut().insert(header::LINK, value);
        }
        Ok(response)
    }

    fn is_about(&self, entry: &PolicyEntry) -> bool {
        let Policy::Key(key) = &entry.policy else {
            return true;
        };
        let project = self.project.as_ref();
        let tag = self.tag.as_ref();
        project.is_none_or(|project| key.project.as_ref() == Some(project))
            && tag.is_none_or(|tag| key.tags.contains(tag))
    }
}

fn is_by_name(kind: PolicyKind) -> bool {
    !matches!(kind, PolicyKind::Guardrail | PolicyKind::SystemPrompt)
}

/// A name as it stands in an address.
pub(super) fn encoded(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}
