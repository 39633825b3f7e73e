//! `[[models]]`: what clients may ask for, and where it goes.

use super::reading::{Section, Words};
use super::{Breaker, Endpoint, Hedge, Retry, Rule, Share, Target};

/// A name clients ask for, and its targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// What clients ask for; `*` stands for any characters. Unique.
    pub name: String,
    /// Other names for it, unique among all names.
    pub aliases: Vec<String>,
    /// At which endpoints it is there; empty: at all.
    pub endpoints: Vec<Endpoint>,
    /// At which endpoints it takes what nothing else directs.
    pub default_for: Vec<Endpoint>,
    /// How a target is chosen.
    pub strategy: Strategy,
    /// What [`Strategy::Sticky`] goes by.
    pub sticky: Sticky,
    /// Where requests go; at least one.
    pub targets: Vec<Target>,
    /// Requests that go elsewhere; the first that matches holds.
    pub rules: Vec<Rule>,
    /// Tries for one request at most; where `None`, five, or each target once if those are more.
    pub max_attempts: Option<u32>,
    /// A longer request, by estimate, is refused, or goes to `context_length_fallbacks`.
    pub max_input_tokens: Option<u64>,
    /// Trying the same target again.
    pub retry: Retry,
    /// Asking a second target when the first is slow.
    pub hedge: Hedge,
    /// When a target that fails is left alone.
    pub breaker: Breaker,
    /// Names of models to go to when every target failed.
    pub fallbacks: Vec<String>,
    /// The same when the request was too long for a target.
    pub context_length_fallbacks: Vec<String>,
    /// The same when a target refused the request for its content.
    pub content_filter_fallbacks: Vec<String>,
    /// Who gets a copy.
    pub shadow: Option<Shadow>,
    /// As `server.strict`, for this model.
    pub strict: bool,
}

/// How a target is chosen, among those of the same priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// In turn, by weight.
    #[default]
    RoundRobin,
    /// The first that works, in the order given.
    Priority,
    /// By chance, by weight.
    Random,
    /// The one with the fewest calls under way, by weight.
    LeastBusy,
    /// The quicker of two, by the time to the first token.
    LowestLatency,
    /// The one with the lowest price of input and output.
    Cheapest,
    /// The same one for the same client, user, session or conversation.
    Sticky,
}

/// What requests have in common that go to the same target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sticky {
    pub by: StickyBy,
    /// The header's name.
    pub header: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StickyBy {
    /// The client's key.
    #[default]
    Key,
    /// The request's `user`.
    User,
    /// A header's value.
    Header,
    /// How the conversation begins: what providers keep in their prompt caches.
    Prefix,
}

/// A target that gets a copy of the requests. Its reply is dropped, and recorded apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shadow {
    /// The name of a provider.
    pub provider: String,
    /// What the upstream calls the model; where `None`, the name the client asked for.
    pub model: Option<String>,
    /// Of the requests.
    pub share: Share,
}

impl Model {
    pub(super) fn read(section: &mut Section<'_, '_>, name: String) -> Self {
        Self {
            name,
            aliases: section.values("aliases", Vec::new()),
            endpoints: section.values("endpoints", Vec::new()),
            default_for: section.values("default_for", Vec::new()),
            strategy: section.value("strategy", Strategy::default()),
            max_attempts: section.optional("max_attempts"),
            max_input_tokens: section.optional("max_input_tokens"),
            fallbacks: section.values("fallbacks", Vec::new()),
            context_length_fallbacks: section.values("context_length_fallbacks", Vec::new()),
            content_filter_fallbacks: section.values("content_filter_fallbacks", Vec::new()),
            strict: section.value("strict", false),
            sticky: section.section("sticky", Sticky::read),
            retry: section.section("retry", Retry::read),
            hedge: section.section("hedge", Hedge::read),
            breaker: section.section("breaker", Breaker::read),
            shadow: section.section("shadow", Shadow::read),
            targets: section.list("targets", Target::read),
            rules: section.list("rules", Rule::read),
        }
    }
}

impl Sticky {
    fn read(section: &mut Section<'_, '_>) -> Self {
        Self {
            by: section.value("by", StickyBy::default()),
            header: section.optional("header"),
        }
    }
}

impl Shadow {
    /// There is none without a provider.
    fn read(section: &mut Section<'_, '_>) -> Option<Self> {
        let provider: Option<String> = section.optional("provider");
        let model: Option<String> = section.optional("model");
        let share = section.value("share", Share::ALL);
        if provider.is_none() && model.is_some() {
            let path = section.path_of("provider");
            section
                .reader()
                .problem(&path, "missing; expected the name of a provider");
        }
        Some(Self {
            provider: provider?,
            model,
            share,
        })
    }
}

impl Strategy {
    /// As the configuration has it: `round_robin`.
    pub fn as_str(self) -> &'static str {
        let word = Self::WORDS.iter().find(|(_, strategy)| *strategy == self);
        word.map_or("", |(word, _)| word)
    }

    /// The strategy of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let word = Self::WORDS.iter().find(|(word, _)| *word == name);
        word.map(|(_, strategy)| *strategy)
    }

    /// The names of all.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::WORDS.iter().map(|(word, _)| *word)
    }
}

impl Words for Strategy {
    const NOUN: &'static str = "strategy";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("round_robin", Self::RoundRobin),
        ("priority", Self::Priority),
        ("random", Self::Random),
        ("least_busy", Self::LeastBusy),
        ("lowest_latency", Self::LowestLatency),
        ("cheapest", Self::Cheapest),
        ("sticky", Self::Sticky),
    ];
}

impl Words for StickyBy {
    const NOUN: &'static str = "kind of stickiness";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("key", Self::Key),
        ("user", Self::User),
        ("header", Self::Header),
        ("prefix", Self::Prefix),
    ];
}
