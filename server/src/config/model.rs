//! `[[models]]`: what clients may ask for, and where it goes.

use super::reading::{Section, Words};

/// A name clients ask for, and its targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// What clients ask for; `*` stands for any characters. Unique.
    pub name: String,
    /// How a target is chosen.
    pub strategy: Strategy,
    /// Where requests go; at least one.
    pub targets: Vec<Target>,
    /// Targets tried for one request at most; where `None`, each once.
    pub max_attempts: Option<u32>,
    /// As `server.strict`, for this model.
    pub strict: bool,
}

/// How a target is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// In turn, by weight.
    #[default]
    RoundRobin,
    /// The first that works, in the order given.
    Priority,
}

/// One place a model's requests may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name of a provider.
    pub provider: String,
    /// What the upstream calls the model; where `None`, the name the client asked for.
    pub model: Option<String>,
    /// Its share of the requests among the model's targets; 0 only as a fallback.
    pub weight: u32,
}

impl Model {
    pub(super) fn read(section: &mut Section<'_, '_>, name: String) -> Self {
        Self {
            name,
            strategy: section.value("strategy", Strategy::default()),
            max_attempts: section.optional("max_attempts"),
            strict: section.value("strict", false),
            targets: section.list("targets", Target::read),
        }
    }
}

impl Target {
    fn read(section: &mut Section<'_, '_>) -> Self {
        Self {
            provider: section.required("provider"),
            model: section.optional("model"),
            weight: section.value("weight", 1),
        }
    }
}

impl Words for Strategy {
    const NOUN: &'static str = "strategy";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("round_robin", Self::RoundRobin),
        ("priority", Self::Priority),
    ];
}
