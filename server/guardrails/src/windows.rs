//! Whether a text has any of many phrases, asked of each few bytes of it.
//!
//! An automaton of a thousand phrases waits for its own table at each byte. Here each place of a text is asked by itself, so
//! that the processor asks many at once: is what begins here the window of a phrase, a few bytes of it that texts hardly
//! ever have? <https://en.wikipedia.org/wiki/Rabin–Karp_algorithm>, without the rolling.

use std::collections::BTreeSet;

/// In bytes. A phrase's window is of the largest size that it has room for.
const SIZES: [usize; 4] = [8, 4, 3, 2];
/// Bits a window, of which one is set: two places in a hundred are asked about further in vain.
const BITS: usize = 64;
/// The rarest last.
const LETTERS: &[u8] = b" etaoinsrhldcumfpgwybvkxjqz";

#[derive(Debug)]
pub struct Windows(Vec<OfOneSize>);

/// The windows of one size.
#[derive(Debug)]
struct OfOneSize {
    size: usize,
    /// By a window's hash; their number is a power of two.
    bits: Vec<u64>,
    /// In order.
    windows: Vec<u64>,
}

impl Windows {
    /// `None`: one of the phrases is too short to have a window.
    pub fn new<'a>(phrases: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut sets = SIZES.map(|_| BTreeSet::new());
        for phrase in phrases {
            let size = SIZES.iter().position(|size| *size <= phrase.len())?;
            let rarest = phrase
                .windows(SIZES[size])
                .max_by_key(|window| rarity(window))?;
            sets[size].insert(padded(rarest));
        }
        let some = SIZES
            .into_iter()
            .zip(sets)
            .filter(|(_, set)| !set.is_empty());
        Some(Self(
            some.map(|(size, set)| OfOneSize::new(size, set)).collect(),
        ))
    }

    /// `false`: the text has none of the phrases.
    pub fn any_in(&self, text: &[u8]) -> bool {
        self.0.iter().any(|sized| sized.any_in(text))
    }
}

impl OfOneSize {
    fn new(size: usize, windows: BTreeSet<u64>) -> Self {
        let words = (windows.len() * BITS / 64).next_power_of_two().max(64);
        let mut sized = Self {
            size,
            bits: vec![0; words],
            windows: windows.into_iter().collect(),
        };
        for window in &sized.windows {
            let bit = bit(*window, sized.bits.len());
            sized.bits[bit / 64] |= 1 << (bit % 64);
        }
        sized
    }

    fn any_in(&self, text: &[u8]) -> bool {
        let mask = u64::MAX >> (64 - 8 * self.size);
        let whole = text.windows(8).map(|bytes| bytes.first_chunk().copied());
        let whole = whole.map(|bytes| u64::from_le_bytes(bytes.unwrap_or_default()));
        let end = text.len().saturating_sub(7)..(text.len() + 1).saturating_sub(self.size);
        let end = end.map(|at| padded(&text[at..]));
        whole.chain(end).any(|bytes| self.has(bytes & mask))
    }

    fn has(&self, window: u64) -> bool {
        let bit = bit(window, self.bits.len());
        self.bits[bit / 64] >> (bit % 64) & 1 == 1 && self.windows.binary_search(&window).is_ok()
    }
}

/// The place of a window's bit among those of so many words, a power of two.
fn bit(window: u64, words: usize) -> usize {
    // 2⁶⁴ divided by the golden ratio spreads them best: Knuth, The Art of Computer Programming, 6.4.
    let spread = window.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (spread >> (64 - 6 - words.ilog2())) as usize
}

/// At most eight bytes, as a number.
fn padded(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let length = bytes.len().min(8);
    eight[..length].copy_from_slice(&bytes[..length]);
    u64::from_le_bytes(eight)
}

fn rarity(window: &[u8]) -> usize {
    let of = |byte| LETTERS.iter().position(|letter| letter == byte);
    let all = window.iter().map(|byte| of(byte).unwrap_or(LETTERS.len()));
    all.sum()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn windows(phrases: &[String]) -> Option<Windows> {
        Windows::new(phrases.iter().map(String::as_bytes))
    }

    proptest! {
        #[test]
        fn no_phrase_is_missed(
            phrases in vec("[ab ]{2,12}", 1..9), before in "[ab ]{0,20}", after in "[ab ]{0,20}"
        ) {
            let windows = windows(&phrases).unwrap();
            for phrase in &phrases {
                let text = format!("{before}{phrase}{after}");
                prop_assert!(windows.any_in(text.as_bytes()));
            }
        }
    }

    #[test]
    fn hardly_anything_else_is_found() {
        let phrases: Vec<String> = (0..1000).map(|i| format!("codename {i:04}")).collect();
        let windows = windows(&phrases).unwrap();
        for text in ["", "a", "code", "a codename 4 is no codename", "0123456789"] {
            assert!(!windows.any_in(text.as_bytes()), "{text}");
        }
        assert!(windows.any_in(b"it is codename 0815."));
    }

    #[test]
    fn one_byte_is_no_window() {
        assert!(windows(&["abc".to_owned(), "a".to_owned()]).is_none());
    }
}
