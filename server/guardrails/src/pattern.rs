//! Regular expressions.

use regex_automata::meta::{BuildError, Regex};
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Capture, Hir, HirKind, Repetition};

use crate::phrases::BESIDE;

/// In bytes, of what one expression is compiled to.
const LARGEST: usize = 2 << 20;

/// One regular expression, in linear time.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    /// What is looked at first: the same without what it says of borders of words.
    pub loose: Hir,
    /// The most bytes of a match; `None`: it may be of any length.
    longest: Option<usize>,
}

/// Why an expression is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    #[error("is not a regular expression: {0}")]
    Syntax(Box<regex_syntax::Error>),
    #[error("is too large when compiled")]
    TooLarge(#[from] Box<BuildError>),
    #[error("matches nothing at all, and so everywhere")]
    Empty,
}

impl Pattern {
    /// # Errors
    /// What is wrong with it.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let parsed = regex_syntax::ParserBuilder::new()
            .nest_limit(100)
            .build()
            .parse(pattern)
            .map_err(|error| PatternError::Syntax(Box::new(error)))?;
        if parsed.properties().minimum_len() == Some(0) {
            return Err(PatternError::Empty);
        }
        let regex = Regex::builder()
            .configure(Regex::config().nfa_size_limit(Some(LARGEST)).onepass(false))
            .build_from_hir(&parsed)
            .map_err(Box::new)?;
        Ok(Self {
            regex,
            loose: without_borders(&parsed),
            longest: parsed.properties().maximum_len(),
        })
    }

    /// The most bytes of a match with what has to be seen beside it; `None`: of any length.
    pub fn longest(&self) -> Option<usize> {
        Some(self.longest? + BESIDE)
    }

    /// The first match that begins at `from` or later, and before `before`. One of any length ends within `bound`
    /// bytes, or is none.
    pub fn find(
        &self,
        text: &str,
        mut from: usize,
        before: usize,
        bound: usize,
    ) -> Option<(usize, usize)> {
        while from < text.len() {
            let found = self
                .regex
                .search(&Input::new(text).span(from..text.len()))?;
            if found.start() >= before {
                return None;
            }
            if self.longest.is_some() || bound >= text.len() {
                return Some((found.start(), found.end()));
            }
            // What it would be if the text went on must make no difference.
            let end = text.floor_char_boundary(found.start().saturating_add(bound).min(text.len()));
            let within = Input::new(text)
                .span(found.start()..end)
                .anchored(Anchored::Yes);
            if let Some(found) = self.regex.search(&within) {
                return Some((found.start(), found.end()));
            }
            from = text.ceil_char_boundary(found.start() + 1);
        }
        None
    }
}

/// The expression without its assertions: it matches wherever the expression itself does, and an automaton without
/// them is quick in any script.
fn without_borders(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Look(_) => Hir::empty(),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) => hir.clone(),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(without_borders(&repetition.sub)),
            ..repetition.clone()
        }),
        HirKind::Capture(capture) => Hir::capture(Capture {
            sub: Box::new(without_borders(&capture.sub)),
            ..capture.clone()
        }),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(without_borders).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.iter().map(without_borders).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (pattern, expected) in [
            ("(", "is not a regular expression"),
            (r"a(?=b)", "is not a regular expression"),
            ("a*", "matches nothing at all"),
            (r"\b", "matches nothing at all"),
            (r"\w{5000}", "is too large"),
        ] {
            let error = Pattern::new(pattern).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{pattern}: {error}");
        }
    }

    #[test]
    fn a_match_of_any_length_ends_somewhere() {
        let pattern = Pattern::new("a.*b").unwrap();
        assert_eq!(pattern.longest(), None);
        let text = format!("a{}b", "x".repeat(50));
        assert_eq!(pattern.find(&text, 0, 100, 10), None);
        assert_eq!(pattern.find(&text, 0, 100, 52), Some((0, 52)));
        assert_eq!(pattern.find("aab", 0, 100, 2), Some((1, 3)));
    }
}
