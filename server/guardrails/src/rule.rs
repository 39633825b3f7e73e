//! One rule, ready to be applied.

use std::ops::Range;
use std::sync::Arc;

use shared::policies::{Action, Check, Guardrail, Selector, Side};

use crate::pattern::{Pattern, PatternError};
use crate::phrases;
use crate::pii::Kinds;
use crate::schema::{Schema, SchemaError};

/// One rule.
#[derive(Debug)]
pub struct Rule {
    pub name: Arc<str>,
    pub shadow: bool,
    pub side: Side,
    pub applies_to: Selector,
    pub looks_for: LooksFor,
    pub action: Action,
}

/// What a rule looks for.
#[derive(Debug)]
pub enum LooksFor {
    /// Its phrases are among those of all rules.
    Phrases {
        longest: usize,
    },
    /// Its places among the expressions of all rules.
    Patterns {
        places: Range<usize>,
        longest: Option<usize>,
    },
    Pii(Kinds),
    Injection {
        threshold: u32,
    },
    Length {
        min: Option<u64>,
        max: Option<u64>,
    },
    Disclaimer(Arc<str>),
    Schema(Schema),
    /// Somebody else is asked: see `outside`.
    Outside(Check),
}

/// Why a rule cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    #[error("{0}")]
    Pattern(#[from] PatternError),
    #[error("{0}")]
    Schema(#[from] SchemaError),
}

impl Rule {
    /// Compiles a rule; its expressions go to `patterns`.
    ///
    /// # Errors
    /// What [`check`](crate::check()) would have said.
    pub fn new(
        name: &str,
        rule: &Guardrail,
        patterns: &mut Vec<Pattern>,
    ) -> Result<Self, RuleError> {
        let looks_for = match &rule.check {
            Check::Phrases { phrases, .. } => LooksFor::Phrases {
                longest: phrases::longest(phrases),
            },
            Check::Patterns { patterns: sources } => {
                let start = patterns.len();
                for source in sources {
                    patterns.push(Pattern::new(source)?);
                }
                let places = start..patterns.len();
                let mut lengths = patterns[places.clone()].iter().map(Pattern::longest);
                let longest = lengths.try_fold(0, |longest, one| Some(longest.max(one?)));
                LooksFor::Patterns { places, longest }
            }
            Check::Pii { kinds } => LooksFor::Pii(Kinds::new(kinds)),
            Check::Injection { threshold } => LooksFor::Injection {
                threshold: u32::from(*threshold),
            },
            Check::Length { min, max } => LooksFor::Length {
                min: *min,
                max: *max,
            },
            Check::Disclaimer { text } => LooksFor::Disclaimer(text.as_str().into()),
            Check::JsonSchema { schema } => LooksFor::Schema(Schema::new(schema)?),
            outside @ (Check::Moderation { .. } | Check::Webhook { .. }) => {
                LooksFor::Outside(outside.clone())
            }
        };
        Ok(Self {
            name: name.into(),
            shadow: rule.shadow,
            side: rule.side,
            applies_to: rule.applies_to.clone(),
            looks_for,
            action: rule.action.clone(),
        })
    }

    /// Whether it looks at this side.
    pub fn is_on(&self, side: Side) -> bool {
        let own = match self.looks_for {
            // They are about replies alone.
            LooksFor::Disclaimer(_) | LooksFor::Schema(_) => Side::Reply,
            _ => Side::Both,
        };
        let covers = |one: Side| one == Side::Both || one == side;
        covers(self.side) && covers(own)
    }

    /// Whether it does something about what it finds.
    pub fn acts(&self) -> bool {
        !self.shadow && self.action != Action::Flag
    }

    /// Whether it looks at what a text says, and not only at how much that is.
    pub fn reads_texts(&self) -> bool {
        !matches!(self.looks_for, LooksFor::Length { .. })
    }

    /// Whether it puts something in the place of what it finds.
    pub fn replaces(&self) -> bool {
        !self.shadow && matches!(self.action, Action::Redact | Action::Replace { .. })
    }

    /// What stands in the place of something that was found; `None`: it stays.
    pub fn replacement(&self, what: &str) -> Option<String> {
        match &self.action {
            _ if self.shadow => None,
            Action::Redact if matches!(self.looks_for, LooksFor::Pii(_)) => {
                Some(format!("[{}]", what.to_ascii_uppercase()))
            }
            Action::Redact => Some("[REDACTED]".to_owned()),
            Action::Replace { with } => Some(with.clone()),
            _ => None,
        }
    }

    /// Whether it refuses what it finds.
    pub fn blocks(&self) -> bool {
        !self.shadow && matches!(self.action, Action::Block { .. })
    }
}
