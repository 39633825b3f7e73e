//! Regular expressions: one alone, and which of many a text may match.

use regex_automata::meta::{BuildError, Regex};
use regex_automata::{Anchored, Input, MatchKind, PatternSet};
use regex_syntax::hir::{Capture, Hir, HirKind, Repetition};

use crate::phrases::BESIDE;

/// In bytes, of what one expression is compiled to.
const LARGEST: usize = 2 << 20;
/// In bytes, of what all together are compiled to, and of what is kept of it while searching.
const LARGEST_OF_ALL: usize = 64 << 20;
const CACHE: usize = 8 << 20;

/// One regular expression, in linear time.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    /// What is looked at first: the same without what it says of borders of words.
    loose: Hir,
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

/// Many expressions, of which a text is asked in one pass which it may match.
#[derive(Debug)]
pub struct PatternFilter {
    /// `None`: together they are too large; each is searched for.
    regexes: Option<Regexes>,
    count: usize,
}

#[derive(Debug)]
struct Regexes {
    /// Whether any matches, which is known sooner than which one. Most texts match none.
    any: Regex,
    all: Regex,
}

impl PatternFilter {
    pub fn new(patterns: &[&Pattern]) -> Self {
        let hirs: Vec<&Hir> = patterns.iter().map(|pattern| &pattern.loose).collect();
        let build = |kind| {
            let config = Regex::config()
                .match_kind(kind)
                .nfa_size_limit(Some(LARGEST_OF_ALL))
                .hybrid_cache_capacity(CACHE)
                .onepass(false)
                .backtrack(false);
            let built = Regex::builder()
                .configure(config)
                .build_many_from_hir(&hirs);
            built.ok()
        };
        let any = build(MatchKind::LeftmostFirst);
        let regexes = any.zip(build(MatchKind::All));
        Self {
            regexes: regexes.map(|(any, all)| Regexes { any, all }),
            count: patterns.len(),
        }
    }

    /// The numbers of those that the text may match from there on; `None`: it matches none.
    pub fn possible(&self, text: &str, from: usize) -> Option<PatternSet> {
        let input = Input::new(text).span(from..text.len());
        if let Some(regexes) = &self.regexes
            && !regexes.any.is_match(input.clone())
        {
            return None;
        }
        let mut set = PatternSet::new(self.count);
        match &self.regexes {
            Some(regexes) => regexes.all.which_overlapping_matches(&input, &mut set),
            None => {
                for index in 0..self.count {
                    set.insert(regex_automata::PatternID::must(index));
                }
            }
        }
        Some(set)
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
    fn the_filter_lets_nothing_through_that_matches() {
        let sources = [r"\bfoo\b", r"(?m)^b.r$", r"x{2,3}\B", "ä+"];
        let patterns: Vec<Pattern> = sources.map(|source| Pattern::new(source).unwrap()).into();
        let filter = PatternFilter::new(&patterns.iter().collect::<Vec<_>>());
        let possible = |text: &str| {
            let set = filter.possible(text, 0);
            let ids = set.iter().flat_map(PatternSet::iter);
            ids.map(|id| id.as_usize()).collect::<Vec<_>>()
        };
        assert_eq!(possible("nothing"), [0; 0]);
        assert_eq!(possible("a foo\nbär, xxx"), [0, 1, 2, 3]);
        assert_eq!(possible("дfooд"), [0]);
        assert!(patterns[0].find("дfooд foo", 0, 99, 99).is_some());
        assert_eq!(patterns[0].find("дfooд", 0, 99, 99), None);
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
