//! Endpoints whose bodies travel as they are: images, audio, moderations.
//!
//! A provider has them in OpenAI's shape or not at all. Of a request only the model's name is read and replaced;
//! uploads stream through, their files are never gathered. Of a reply only the usage is read, while it passes.

mod any;
mod json;
mod meter;
mod multipart;
mod paths;

use std::fmt;

pub use any::ANY;
pub use json::{JsonHead, with_model};
pub use meter::{Consumption, Meter};
pub(crate) use meter::{milliseconds, tokens};
pub use multipart::{Multipart, MultipartHead};
pub(crate) use paths::Escaped;
pub use paths::Paths;

use crate::json::Node;
use crate::providers::Modalities;
use crate::{audio, images, moderations};

/// An endpoint, as data.
#[derive(Clone, Copy)]
pub struct Operation {
    /// The name in records and metrics: `images.generations`.
    pub name: &'static str,
    /// Behind `/v1` of the gateway, and behind a provider's base URL: `/images/generations`.
    pub path: &'static str,
    /// What bodies it takes.
    pub bodies: Bodies,
    /// Whether a provider has it.
    pub offered: fn(&Modalities) -> bool,
    /// What a reply, or an event of a stream, says was consumed: see [`Meter`].
    pub(crate) consumed: fn(&Node<'_>, &mut Consumption),
    /// The characters of `input` are counted: what is spoken costs by them.
    pub(crate) counts_input: bool,
}

/// The content types of an endpoint's bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bodies {
    Json,
    Multipart,
    /// Either, as the client likes.
    Both,
}

/// Every endpoint that is carried.
pub static OPERATIONS: &[&Operation] = &[
    &images::GENERATIONS,
    &images::EDITS,
    &images::VARIATIONS,
    &audio::SPEECH,
    &audio::TRANSCRIPTIONS,
    &audio::TRANSLATIONS,
    &moderations::MODERATIONS,
];

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("name", &self.name)
            .field("path", &self.path)
            .field("bodies", &self.bodies)
            .finish_non_exhaustive()
    }
}
