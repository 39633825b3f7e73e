//! What all services are asked in common.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::address::Address;
use super::datadog::Datadog;
use super::elasticsearch::Elasticsearch;
use super::entry::Entry;
use super::splunk::Splunk;
use crate::config::Logging;

/// Its name in metrics and in the log.
pub(super) const NAMES: [&str; 3] = ["elasticsearch", "splunk", "datadog"];

/// A service as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Elasticsearch(Elasticsearch),
    Splunk(Splunk),
    Datadog(Datadog),
}

/// A request to a service, apart from host and credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Post {
    pub method: Method,
    /// With its query.
    pub path: String,
    pub content_type: &'static str,
    pub body: Bytes,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// By their places in the batch, in order: to be sent again.
    pub again: Vec<usize>,
    /// So many were refused for good.
    pub refused: usize,
    /// Why not all were taken.
    pub problem: Option<String>,
    /// What they were to go into is not there.
    pub missing: bool,
}

impl Service {
    /// Those that a configuration switches on.
    pub fn all(logging: &Logging) -> Vec<Self> {
        let elasticsearch = Elasticsearch::of(&logging.elasticsearch);
        let splunk = Splunk::of(&logging.splunk);
        let datadog = Datadog::of(&logging.datadog);
        [
            elasticsearch.map(Self::Elasticsearch),
            splunk.map(Self::Splunk),
            datadog.map(Self::Datadog),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Elasticsearch(_) => NAMES[0],
            Self::Splunk(_) => NAMES[1],
            Self::Datadog(_) => NAMES[2],
        }
    }

    pub fn address(&self) -> &Address {
        match self {
            Self::Elasticsearch(it) => &it.address,
            Self::Splunk(it) => &it.address,
            Self::Datadog(it) => &it.address,
        }
    }

    /// The header that says who the gateway is.
    pub fn credentials(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Elasticsearch(it) => it.credentials(),
            Self::Splunk(it) => it.credentials(),
            Self::Datadog(it) => it.credentials(),
        }
    }

    /// What is asked before the first batch.
    pub fn preparation(&self) -> Option<Post> {
        match self {
            Self::Elasticsearch(it) => Some(it.index_request()),
            Self::Splunk(_) | Self::Datadog(_) => None,
        }
    }

    /// Whether the answer to [`preparation`](Self::preparation) is a good one.
    pub fn is_prepared(&self, status: StatusCode, body: &[u8]) -> bool {
        match self {
            Self::Elasticsearch(it) => it.has_index(status, body),
            Self::Splunk(_) | Self::Datadog(_) => true,
        }
    }

    pub fn batch(&self, entries: &[Arc<Entry>]) -> Post {
        match self {
            Self::Elasticsearch(it) => it.batch(entries),
            Self::Splunk(it) => it.batch(entries),
            Self::Datadog(it) => it.batch(entries),
        }
    }

    /// What the answer to a batch of so many entries says.
    pub fn verdict(&self, status: StatusCode, body: &[u8], entries: usize) -> Verdict {
        match self {
            Self::Elasticsearch(it) => it.verdict(status, body, entries),
            Self::Splunk(_) | Self::Datadog(_) => Verdict::of_status(status, entries),
        }
    }
}

impl Verdict {
    /// Of all entries alike.
    pub fn of_status(status: StatusCode, entries: usize) -> Self {
        if status.is_success() {
            return Self::default();
        }
        let (again, refused) = match is_passing(status) {
            true => ((0..entries).collect(), 0),
            false => (Vec::new(), entries),
        };
        Self {
            again,
            refused,
            problem: Some(format!("it answers with status {}", status.as_u16())),
            missing: false,
        }
    }
}

/// Whether what was refused with this status may be taken later.
pub(super) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

/// A header's value that is not shown.
pub(super) fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
