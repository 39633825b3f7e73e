//! Text in which the case of letters makes no difference: Unicode's simple case folding,
//! <https://www.unicode.org/Public/UCD/latest/ucd/CaseFolding.txt>, as `(?i)` of regular expressions has it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use crate::vectors::ascii_lowercase;

/// A folded text, and where its bytes stand in the original.
#[derive(Debug)]
pub struct Folded<'a> {
    pub text: Cow<'a, [u8]>,
    /// Places in both, after which they run alike; empty where all of it does.
    steps: Vec<(usize, usize)>,
}

impl Folded<'_> {
    /// The place in the original of a character's border in the folded text.
    pub fn original(&self, at: usize) -> usize {
        let step = self.steps.partition_point(|(folded, _)| *folded <= at);
        match step.checked_sub(1).map(|index| self.steps[index]) {
            Some((folded, original)) => original + (at - folded),
            None => at,
        }
    }
}

/// The text, folded.
pub fn fold(text: &str) -> Folded<'_> {
    if text.is_ascii() {
        return Folded {
            text: ascii_lowercase(text.as_bytes()),
            steps: Vec::new(),
        };
    }
    let mut folded = String::with_capacity(text.len());
    let mut steps = Vec::new();
    for (at, character) in text.char_indices() {
        let plain = fold_char(character);
        folded.push(plain);
        if plain.len_utf8() != character.len_utf8() {
            steps.push((folded.len(), at + character.len_utf8()));
        }
    }
    Folded {
        text: Cow::Owned(folded.into_bytes()),
        steps,
    }
}

/// The most bytes that a text has which folds to the same as this one.
pub fn longest_spelling(text: &str) -> usize {
    let longest = |character: char| {
        let folds = &*FOLDS;
        let plain = fold_char(character);
        let longest = folds.longest.get(&plain).copied();
        longest.unwrap_or_else(|| character.len_utf8())
    };
    text.chars().map(longest).sum()
}

/// One character that stands for all that are the same but for their case.
fn fold_char(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    FOLDS.plain.get(&character).copied().unwrap_or(character)
}

struct Folds {
    plain: HashMap<char, char>,
    /// The bytes of the longest character that folds to this one.
    longest: HashMap<char, usize>,
}

static FOLDS: LazyLock<Folds> = LazyLock::new(|| {
    let mut folds = Folds {
        plain: HashMap::new(),
        longest: HashMap::new(),
    };
    let cased = ('\0'..=char::MAX).filter(|character| {
        let changes = |mut other: &mut dyn Iterator<Item = char>| {
            let first = other.next();
            first != Some(*character) || (&mut other).next().is_some()
        };
        changes(&mut character.to_lowercase()) || changes(&mut character.to_uppercase())
    });
    for character in cased {
        let mut class = ClassUnicode::new([ClassUnicodeRange::new(character, character)]);
        if class.try_case_fold_simple().is_err() {
            continue;
        }
        let alike = || {
            let ranges = class.ranges().iter();
            ranges.flat_map(|range| range.start()..=range.end())
        };
        // Of ASCII letters the small one, which `to_ascii_lowercase` gives too.
        let small = alike().find(char::is_ascii_lowercase);
        let plain = small.or_else(|| alike().next()).unwrap_or(character);
        let longest = alike().map(char::len_utf8).max().unwrap_or_default();
        folds.plain.insert(character, plain);
        folds.longest.insert(plain, longest);
    }
    folds
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_case_alone_folds_alike() {
        for (one, other) in [
            ("Straße", "STRAẞE"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("kelvin", "\u{212a}ELVIN"),
            ("Мир", "мИР"),
            ("ſ", "S"),
        ] {
            assert_eq!(fold(one).text, fold(other).text, "{one} {other}");
        }
        assert_ne!(fold("ä").text, fold("a").text);
    }

    #[test]
    fn places_lead_back() {
        let text = "\u{212a}x\u{212a}\u{212a}yẞz";
        let folded = fold(text);
        let folded_text = str::from_utf8(&folded.text).unwrap();
        assert_eq!(folded_text, "kxkkyßz");
        let borders: Vec<usize> = folded_text.char_indices().map(|(at, _)| at).collect();
        let originals: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let mapped: Vec<usize> = borders.iter().map(|at| folded.original(*at)).collect();
        assert_eq!(mapped, originals);
        assert_eq!(folded.original(folded.text.len()), text.len());
        assert_eq!(longest_spelling("k"), 3);
    }

    #[test]
    fn it_is_what_regular_expressions_call_the_same() {
        for character in ('\0'..='\u{1ffff}').filter(|one| one.is_alphabetic()) {
            let mut class = ClassUnicode::new([ClassUnicodeRange::new(character, character)]);
            class.try_case_fold_simple().unwrap();
            for range in class.ranges() {
                for other in range.start()..=range.end() {
                    assert_eq!(
                        fold_char(character),
                        fold_char(other),
                        "{character} {other}"
                    );
                }
            }
        }
    }
}
