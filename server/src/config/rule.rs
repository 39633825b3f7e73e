//! A model's `rules`: requests that go elsewhere.

use super::reading::{Section, Words};
use super::{Endpoint, Target, TimeOfDay, UtcOffset};

/// Where requests go of which all conditions hold: to targets of its own, or to another model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Without any condition it always holds.
    pub when: When,
    pub targets: Vec<Target>,
    /// The name of a model.
    pub model: Option<String>,
}

/// Conditions; all that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// The name of the client's key.
    pub key: Option<String>,
    pub header: Named,
    /// Of the request's `metadata`.
    pub metadata: Named,
    pub endpoint: Option<Endpoint>,
    /// Input tokens, by estimate.
    pub min_input_tokens: Option<u64>,
    pub max_input_tokens: Option<u64>,
    /// From this time of the day on …
    pub from: Option<TimeOfDay>,
    /// … and until before this one; past midnight where it is the earlier of the two.
    pub until: Option<TimeOfDay>,
    /// Empty: all. A night counts to the day on which it begins.
    pub days: Vec<Day>,
    /// What clock `from`, `until` and `days` mean.
    pub utc_offset: UtcOffset,
}

/// A name, and the value that must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// `None`: no condition.
    pub name: Option<String>,
    /// `None`: any.
    pub value: Option<String>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Rule {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        Self {
            model: section.optional("model"),
            when: section.section("when", When::read),
            targets: section.list("targets", Target::read),
        }
    }
}

impl When {
    fn read(section: &mut Section<'_, '_>) -> Self {
        Self {
            key: section.optional("key"),
            endpoint: section.optional("endpoint"),
            min_input_tokens: section.optional("min_input_tokens"),
            max_input_tokens: section.optional("max_input_tokens"),
            from: section.optional("from"),
            until: section.optional("until"),
            days: section.values("days", Vec::new()),
            utc_offset: section.value("utc_offset", UtcOffset::default()),
            header: section.section("header", Named::read),
            metadata: section.section("metadata", Named::read),
        }
    }
}

impl Named {
    fn read(section: &mut Section<'_, '_>) -> Self {
        Self {
            name: section.optional("name"),
            value: section.optional("value"),
        }
    }
}

impl Words for Day {
    const NOUN: &'static str = "day";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("mon", Self::Monday),
        ("tue", Self::Tuesday),
        ("wed", Self::Wednesday),
        ("thu", Self::Thursday),
        ("fri", Self::Friday),
        ("sat", Self::Saturday),
        ("sun", Self::Sunday),
    ];
}
