//! Which of many regular expressions a text may match.

use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::hybrid::{CacheError, LazyStateID};
use regex_automata::meta::Regex;
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::{Input, MatchKind, PatternID, PatternSet};
use regex_syntax::hir::Hir;

use crate::pattern::Pattern;

/// In bytes, of what all together are compiled to, and of what is kept of it while searching.
const LARGEST: usize = 64 << 20;
const CACHE: usize = 8 << 20;

/// Many expressions, of which a text is asked in one pass which it may match.
#[derive(Debug)]
pub struct PatternFilter {
    /// `None`: together they are too large; each is searched for.
    regexes: Option<Regexes>,
    count: usize,
}

#[derive(Debug)]
struct Regexes {
    /// Most texts match none, which is known sooner than which one.
    any: Any,
    all: Regex,
}

impl PatternFilter {
    pub fn new(patterns: &[&Pattern]) -> Self {
        let hirs: Vec<&Hir> = patterns.iter().map(|pattern| &pattern.loose).collect();
        let config = Regex::config()
            .match_kind(MatchKind::All)
            .nfa_size_limit(Some(LARGEST))
            .hybrid_cache_capacity(CACHE)
            .onepass(false)
            .backtrack(false);
        let all = Regex::builder()
            .configure(config)
            .build_many_from_hir(&hirs);
        Self {
            regexes: all
                .ok()
                .and_then(|all| Any::new(&hirs).map(|any| Regexes { any, all })),
            count: patterns.len(),
        }
    }

    /// The numbers of those that the text may match from there on; `None`: it matches none.
    pub fn possible(&self, text: &str, from: usize) -> Option<PatternSet> {
        let mut set = PatternSet::new(self.count);
        let Some(regexes) = &self.regexes else {
            for index in 0..self.count {
                set.insert(PatternID::must(index));
            }
            return Some(set);
        };
        if !regexes.any.may_match(&text.as_bytes()[from..]) {
            return None;
        }
        let input = Input::new(text).span(from..text.len());
        regexes.all.which_overlapping_matches(&input, &mut set);
        Some(set)
    }
}

/// A text is read at so many places at a time: one reader alone would wait for memory at every byte, to know the state
/// that it is in.
const LANES: usize = 4;
/// In bytes: a part of a text that is worth a reader of its own, and how far it may take until it makes no difference
/// any more where a reader came from.
const LONG: usize = 64;

/// An automaton that says whether any expression matches. Its states are made when a text leads there, and kept.
#[derive(Debug)]
struct Any {
    dfa: DFA,
    caches: Pool<Reader, NewReader>,
}

/// The states that one thread knows, and the one that a text begins with.
#[derive(Debug)]
struct Reader {
    cache: Cache,
    start: Option<LazyStateID>,
}

type NewReader = Box<dyn Fn() -> Reader + Send + Sync + UnwindSafe + RefUnwindSafe>;

/// Why a text was not read to its end.
enum Stopped {
    /// Something matches.
    Matches,
    /// There are more states than are kept.
    Full,
}

impl From<CacheError> for Stopped {
    fn from(_: CacheError) -> Self {
        Self::Full
    }
}

impl Any {
    fn new(hirs: &[&Hir]) -> Option<Self> {
        let config = thompson::Config::new()
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(Some(LARGEST));
        let nfa: NFA = thompson::Compiler::new()
            .configure(config)
            .build_many_from_hir(hirs)
            .ok()?;
        // States of several readers are in use at a time: none may be thrown away for another.
        let config = DFA::config()
            .cache_capacity(CACHE)
            .minimum_cache_clear_count(Some(0));
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let of = dfa.clone();
        let new: NewReader = Box::new(move || Reader {
            cache: of.create_cache(),
            start: None,
        });
        Some(Self {
            dfa,
            caches: Pool::new(new),
        })
    }

    /// Whether any matches somewhere in the text. Where there are more states than are kept, it may.
    fn may_match(&self, text: &[u8]) -> bool {
        let mut reader = self.caches.get();
        match self.read_all(&mut reader, text) {
            Ok(()) => false,
            Err(Stopped::Matches) => true,
            Err(Stopped::Full) => {
                reader.cache.reset(&self.dfa);
                reader.start = None;
                true
            }
        }
    }

    fn read_all(&self, reader: &mut Reader, text: &[u8]) -> Result<(), Stopped> {
        let cache = &mut reader.cache;
        let start = match reader.start {
            Some(start) => start,
            None => {
                // It is the same everywhere: nothing that is looked for says what stands before it.
                let start = self.dfa.start_state_forward(cache, &Input::new(""));
                *reader.start.insert(start.map_err(|_| Stopped::Full)?)
            }
        };
        let lane = text.len() / LANES;
        let (mut state, mut rest) = (start, text);
        if lane >= LONG {
            let parts = std::array::from_fn(|nth| &text[nth * lane..][..lane]);
            rest = &text[LANES * lane..];
            let [one, two, three, four]: [&[u8]; LANES] = parts;
            let mut ends = [start; LANES];
            for (((one, two), three), four) in one.iter().zip(two).zip(three).zip(four) {
                ends[0] = self.dfa.next_state(cache, ends[0], *one)?;
                ends[1] = self.dfa.next_state(cache, ends[1], *two)?;
                ends[2] = self.dfa.next_state(cache, ends[2], *three)?;
                ends[3] = self.dfa.next_state(cache, ends[3], *four)?;
                let highest = ends[0].max(ends[1]).max(ends[2].max(ends[3]));
                if highest.is_tagged() {
                    return Err(Stopped::Matches);
                }
            }
            // What began in one part ends in another.
            state = ends[0];
            for (part, end) in parts.iter().zip(ends).skip(1) {
                state = self.read_on(cache, (state, start), part, end)?;
            }
        }
        let end = self.read(cache, state, rest)?;
        // Matches are known of one byte late.
        let end = self.dfa.next_eoi_state(cache, end)?;
        if end.is_match() {
            return Err(Stopped::Matches);
        }
        Ok(())
    }

    /// The state behind a text.
    fn read(
        &self,
        cache: &mut Cache,
        mut state: LazyStateID,
        text: &[u8],
    ) -> Result<LazyStateID, Stopped> {
        for byte in text {
            state = self.dfa.next_state(cache, state, *byte)?;
            if state.is_tagged() {
                return Err(Stopped::Matches);
            }
        }
        Ok(state)
    }

    /// The same, where a reader that was in the second state in the beginning came to this end.
    fn read_on(
        &self,
        cache: &mut Cache,
        (mut state, mut other): (LazyStateID, LazyStateID),
        text: &[u8],
        end: LazyStateID,
    ) -> Result<LazyStateID, Stopped> {
        let (first, rest) = text.split_at(LONG.min(text.len()));
        for byte in first {
            if state == other {
                return Ok(end);
            }
            state = self.dfa.next_state(cache, state, *byte)?;
            other = self.dfa.next_state(cache, other, *byte)?;
            if state.is_tagged() {
                return Err(Stopped::Matches);
            }
        }
        if state == other {
            return Ok(end);
        }
        self.read(cache, state, rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filter(sources: &[&str]) -> (Vec<Pattern>, PatternFilter) {
        let patterns = sources.iter().map(|source| Pattern::new(source).unwrap());
        let patterns: Vec<Pattern> = patterns.collect();
        let filter = PatternFilter::new(&patterns.iter().collect::<Vec<_>>());
        (patterns, filter)
    }

    fn possible(filter: &PatternFilter, text: &str, from: usize) -> Vec<usize> {
        let set = filter.possible(text, from);
        let ids = set.iter().flat_map(PatternSet::iter);
        ids.map(|id| id.as_usize()).collect()
    }

    #[test]
    fn the_filter_lets_nothing_through_that_matches() {
        let (patterns, filter) = filter(&[r"\bfoo\b", r"(?m)^b.r$", r"x{2,3}\B", "ä+"]);
        assert_eq!(possible(&filter, "nothing", 0), [0; 0]);
        assert_eq!(possible(&filter, "a foo\nbär, xxx", 0), [0, 1, 2, 3]);
        assert_eq!(possible(&filter, "дfooд", 0), [0]);
        assert!(patterns[0].find("дfooд foo", 0, 99, 99).is_some());
        assert_eq!(patterns[0].find("дfooд", 0, 99, 99), None);
    }

    #[test]
    fn with_more_states_than_are_kept_a_text_may_match() {
        let (_, filter) = filter(&[r"[a-q][^u-z]{400}x"]);
        // Every byte leads to a state that has not been.
        let mut bits = 1_u32;
        let mut random = || {
            bits ^= bits << 13;
            bits ^= bits >> 17;
            bits ^= bits << 5;
            if bits & 1 == 0 { 'a' } else { 's' }
        };
        let text: String = std::iter::repeat_with(&mut random).take(200_000).collect();
        let regexes = filter.regexes.as_ref().unwrap();
        assert!(regexes.any.may_match(text.as_bytes()));
        assert_eq!(possible(&filter, &text, 0), [0; 0]);
        assert_eq!(
            possible(&filter, &format!("{text}a{}x", "s".repeat(400)), 0),
            [0]
        );
        assert_eq!(possible(&filter, &"z".repeat(1000), 0), [0; 0]);
    }

    #[test]
    fn a_match_is_found_wherever_it_stands() {
        let (_, filter) = filter(&["TICKET-[0-9]{6}", r"(?i)project\s+nightingale", "<.*>"]);
        for (hit, number) in [
            ("TICKET-123456", 0),
            ("Project  \u{2003}NIGHTIN\u{47}ALE", 1),
            ("<тег>", 2),
        ] {
            for length in [0, 50, 255, 256, 1000, 1003] {
                let plain = "щ Projects "
                    .repeat(length)
                    .chars()
                    .take(length)
                    .collect::<String>();
                assert_eq!(possible(&filter, &plain, 0), [0; 0]);
                for at in (0..=plain.len()).filter(|at| plain.is_char_boundary(*at)) {
                    let text = format!("{}{hit}{}", &plain[..at], &plain[at..]);
                    assert_eq!(possible(&filter, &text, 0), [number], "{text}");
                    assert_eq!(possible(&filter, &text, at), [number], "{text}");
                    let behind = at + hit.chars().next().map_or(0, char::len_utf8);
                    assert_eq!(possible(&filter, &text, behind), [0; 0], "{text}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_what_the_expressions_say(text in "[ab ]{0,20}[a-d é<>]{200,700}", from in 0..300_usize) {
            let (patterns, filter) = filter(&["a[^b]*bd", "cc.{3}c", "<a.{80,100}b>", "d<é"]);
            let from = text.floor_char_boundary(from);
            let some = patterns.iter().any(|pattern| {
                pattern.find(&text[from..], 0, usize::MAX, usize::MAX).is_some()
            });
            prop_assert_eq!(!possible(&filter, &text, from).is_empty(), some);
        }
    }
}
