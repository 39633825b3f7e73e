//! What a request asks for.

use std::borrow::Cow;

use super::access::Access;
use crate::config::Endpoint;

/// What a request says of where it wants to go, and what else may decide it.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    /// The body's `model`.
    pub model: Option<&'a str>,
    /// The header `x-llm-provider`.
    pub provider: Option<&'a str>,
    pub endpoint: Endpoint,
    /// What the caller is limited to.
    pub access: Option<&'a Access>,
    pub facts: &'a dyn Facts,
}

impl std::fmt::Debug for Wish<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wish")
            .field("model", &self.model)
            .field("provider", &self.provider)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// What conditions and stickiness look at. Each is read only where one asks for it.
pub trait Facts {
    /// The name of the client's key.
    fn key(&self) -> Option<&str>;
    fn header(&self, name: &str) -> Option<&str>;
    /// A member of the request's `metadata`.
    fn metadata(&self, name: &str) -> Option<Cow<'_, str>>;
    /// The end user, as the request names him.
    fn user(&self) -> Option<Cow<'_, str>>;
    /// Input tokens, by estimate.
    fn input_tokens(&self) -> u64;
    /// A number for how the conversation begins: model, system and the first user message.
    fn prefix(&self) -> u64;
}

/// Of a request of which nothing is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFacts;

impl Facts for NoFacts {
    fn key(&self) -> Option<&str> {
        None
    }

    fn header(&self, _: &str) -> Option<&str> {
        None
    }

    fn metadata(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn user(&self) -> Option<Cow<'_, str>> {
        None
    }

    fn input_tokens(&self) -> u64 {
        0
    }

    fn prefix(&self) -> u64 {
        0
    }
}
