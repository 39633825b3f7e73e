//! Banned phrases: all of all rules found in one pass.

use aho_corasick::{AhoCorasick, AhoCorasickKind, packed};

use crate::fold::{fold, longest_spelling};
use crate::grams::{GRAM, GramFilter};

/// Phrases of many rules, searched for together.
#[derive(Debug)]
pub struct Phrases {
    /// Says many times quicker that there is none of them, as in nearly all texts.
    any: Option<AnyFilter>,
    automaton: AhoCorasick,
    /// By the pattern's number.
    owners: Vec<Owner>,
}

/// Whether a text may have any phrase.
#[derive(Debug)]
struct AnyFilter {
    few: Option<packed::Searcher>,
    many: Option<GramFilter>,
}

#[derive(Clone, Copy, Debug)]
struct Owner {
    rule: usize,
    whole_word: bool,
}

/// A phrase in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhraseHit {
    pub rule: usize,
    pub start: usize,
    pub end: usize,
}

/// With more the automaton is kept small instead of quick.
const QUICK: usize = 200_000;

impl Phrases {
    /// Phrases with their rules' numbers; `None` where there are none, or too many to be searched for.
    pub fn new<'a>(
        phrases: impl Iterator<Item = (usize, bool, &'a str)>,
    ) -> Result<Option<Self>, aho_corasick::BuildError> {
        let mut owners = Vec::new();
        let mut patterns = Vec::new();
        for (rule, whole_word, phrase) in phrases {
            owners.push(Owner { rule, whole_word });
            patterns.push(fold(phrase).text.into_owned());
        }
        if patterns.is_empty() {
            return Ok(None);
        }
        let kind = if patterns.iter().map(Vec::len).sum::<usize>() <= QUICK {
            AhoCorasickKind::DFA
        } else {
            AhoCorasickKind::ContiguousNFA
        };
        let any = AnyFilter::new(&patterns);
        let automaton = AhoCorasick::builder().kind(Some(kind)).build(patterns)?;
        Ok(Some(Self {
            any,
            automaton,
            owners,
        }))
    }

    /// Every phrase of a rule that is `wanted`, overlapping ones too, by rule and place.
    pub fn find(&self, text: &str, from: usize, wanted: impl Fn(usize) -> bool) -> Vec<PhraseHit> {
        let folded = fold(&text[from..]);
        let mut hits = Vec::new();
        if let Some(any) = &self.any
            && !any.may_have(&folded.text)
        {
            return hits;
        }
        for found in self.automaton.find_overlapping_iter(&*folded.text) {
            let owner = self.owners[found.pattern().as_usize()];
            if !wanted(owner.rule) {
                continue;
            }
            let start = from + folded.original(found.start());
            let end = from + folded.original(found.end());
            if !owner.whole_word || stands_alone(text, start, end) {
                hits.push(PhraseHit {
                    rule: owner.rule,
                    start,
                    end,
                });
            }
        }
        // At one place the longest comes first.
        hits.sort_unstable_by_key(|hit| (hit.rule, hit.start, usize::MAX - hit.end));
        hits
    }
}

impl AnyFilter {
    /// `None`: there are too many short ones.
    fn new(phrases: &[Vec<u8>]) -> Option<Self> {
        let packed = |phrases: &[&[u8]]| packed::Config::new().builder().extend(phrases).build();
        let all: Vec<&[u8]> = phrases.iter().map(Vec::as_slice).collect();
        if let Some(few) = packed(&all) {
            return Some(Self {
                few: Some(few),
                many: None,
            });
        }
        let (long, short): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|phrase| phrase.len() >= GRAM);
        let few = if short.is_empty() {
            None
        } else {
            Some(packed(&short)?)
        };
        let many = GramFilter::new(long);
        Some(Self { few, many })
    }

    fn may_have(&self, text: &[u8]) -> bool {
        let few = self.few.as_ref();
        let many = self.many.as_ref();
        few.is_some_and(|few| few.find(text).is_some())
            || many.is_some_and(|many| many.may_have(text))
    }
}

/// The most bytes that a phrase has in a text, and what has to be seen beside it.
pub fn longest(phrases: &[String]) -> usize {
    let longest = phrases.iter().map(|phrase| longest_spelling(phrase)).max();
    longest.unwrap_or_default() + BESIDE
}

/// The bytes of a character.
pub const BESIDE: usize = 4;

/// Whether neither a letter nor a digit nor an underscore stands beside a piece of a text.
pub fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !before.is_some_and(regex_syntax::is_word_character)
        && !after.is_some_and(regex_syntax::is_word_character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(whole_word: bool, phrases: &[&str], text: &str) -> Vec<String> {
        let all = phrases.iter().map(|phrase| (0, whole_word, *phrase));
        let phrases = Phrases::new(all).unwrap().unwrap();
        let hits = phrases.find(text, 0, |_| true);
        hits.iter()
            .map(|hit| text[hit.start..hit.end].to_owned())
            .collect()
    }

    #[test]
    fn whatever_the_case() {
        assert_eq!(found(false, &["ſecret"], "a SECRET b"), ["SECRET"]);
        assert_eq!(found(false, &["straße"], "STRAẞEN"), ["STRAẞE"]);
        let text = "\u{212a}\u{212a} kelvin";
        assert_eq!(found(false, &["k kel"], text), ["\u{212a} kel"]);
    }

    #[test]
    fn whole_words() {
        assert_eq!(found(true, &["ass"], "class ass! pass_ass"), ["ass"]);
        assert_eq!(found(true, &["c++"], "c++ C++x (c++)"), ["c++", "c++"]);
        assert_eq!(found(true, &[".net"], "asp.net .NET"), [".NET"]);
        assert_eq!(found(true, &["мир"], "мира мир"), ["мир"]);
        // A combining mark belongs to the letter before it.
        assert_eq!(found(true, &["cafe"], "cafe\u{301} cafe"), ["cafe"]);
    }

    #[test]
    fn however_many_there_are() {
        let many: Vec<String> = (0..2_000)
            .map(|number| format!("Straße {number:04}"))
            .collect();
        for short in [&[][..], &["xy"]] {
            let mut phrases: Vec<&str> = many.iter().map(String::as_str).collect();
            phrases.extend(short);
            assert_eq!(
                found(false, &phrases, "in der STRAẞE 0815."),
                ["STRAẞE 0815"]
            );
            assert_eq!(found(false, &phrases, "in der Straße 2815."), [""; 0]);
            assert_eq!(found(false, &phrases, "XYZ").len(), short.len());
        }
    }

    #[test]
    fn overlapping_ones_are_all_found() {
        let all = found(false, &["ab", "abcd", "bc"], "abcd");
        assert_eq!(all, ["abcd", "ab", "bc"]);
    }
}
