//! How a provider is asked whether it is there, at no cost.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::Segments;
use crate::chat::Losses;
use crate::codec::{ReplyForm, WireRequest};

/// A `GET` that costs nothing and answers soon. Whether the API key is taken shows by it at most providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Relative to the base URL, with its query.
    pub path: &'static str,
    /// What the provider wants to be told beside its credentials.
    pub headers: &'static [(&'static str, &'static str)],
}

impl Probe {
    /// The list of models, where OpenAI has it.
    pub(crate) const MODELS: Self = Self::at("/models");

    pub(crate) const fn at(path: &'static str) -> Self {
        Self { path, headers: &[] }
    }

    /// The request, to another path where the operator chose one.
    pub fn request(probe: Option<&Self>, path: Option<&str>) -> Option<WireRequest> {
        let path = path.or(probe.map(|probe| probe.path))?;
        let mut headers = HeaderMap::new();
        for (name, value) in probe.map_or(&[][..], |probe| probe.headers) {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        Some(WireRequest {
            method: Method::GET,
            path: path.to_owned(),
            headers,
            body: Segments::default(),
            losses: Losses::default(),
            form: ReplyForm::default(),
        })
    }
}
