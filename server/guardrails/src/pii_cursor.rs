//! Personal data in a text, one piece after the other.

use crate::pii::{Found, Kinds, Look, first};

/// Knows of each kind what it finds next: a text that is full of one is not looked through again for all others behind
/// each of them.
#[derive(Debug)]
pub struct PiiCursor {
    kinds: Kinds,
    /// By its place among [`Look::ALL`]; `None`: it was not looked yet.
    next: [Option<Option<Found>>; Look::ALL.len()],
}

impl PiiCursor {
    pub fn new(kinds: Kinds) -> Self {
        Self {
            kinds,
            next: Default::default(),
        }
    }

    /// What is found first from `from` on in one and the same text, of several at one place the longest. `from` never
    /// falls.
    pub fn find(&mut self, text: &str, from: usize) -> Option<Found> {
        for (next, look) in self.next.iter_mut().zip(Look::ALL) {
            let is_known = next.is_some_and(|known| known.is_none_or(|found| found.start >= from));
            if !is_known {
                *next = Some(look.find(self.kinds, text, from));
            }
        }
        first(self.next.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pii::find;

    fn all(mut next: impl FnMut(usize) -> Option<Found>) -> Vec<Found> {
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(one) = next(from) {
            from = one.end;
            found.push(one);
        }
        found
    }

    proptest! {
        #[test]
        fn it_finds_what_is_found_without_it(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "jane@example.com", "a@b.cc", "@", " ", ".", "4111 1111 1111 1111", "4111", "::1", "fe80::1", ":",
                    "192.0.2.1", "+49 30 1234567", "123-45-6789", "DE89370400440532013000", "sk-abcDEF0123456789abcdef",
                    "sk-", "-----BEGIN PRIVATE KEY-----", "AKIAABCDEFGHIJKLMNOP", "x", "7", "é",
                ]),
                0..24,
            ),
        ) {
            let (text, kinds) = (words.concat(), Kinds::new(&[]));
            let mut cursor = PiiCursor::new(kinds);
            let with = all(|from| cursor.find(&text, from));
            prop_assert_eq!(with, all(|from| find(kinds, &text, from)));
        }
    }

    /// It took a minute and more where each piece cost a look through all of the text.
    #[test]
    fn a_text_full_of_one_kind_is_looked_through_once() {
        let kinds = Kinds::new(&[]);
        for (piece, least) in [
            ("a@b.cc ", 42_000),
            ("sk-", 0),
            ("eyJ-", 0),
            ("-----BEGIN ", 0),
        ] {
            let text = piece.repeat(300_000 / piece.len());
            let begun = std::time::Instant::now();
            let mut cursor = PiiCursor::new(kinds);
            assert!(all(|from| cursor.find(&text, from)).len() >= least);
            let took = begun.elapsed();
            assert!(took.as_secs() < 10, "{piece}: {took:?}");
        }
    }
}
