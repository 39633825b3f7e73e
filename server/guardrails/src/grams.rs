//! Whether a text may have one of very many phrases, said from a few of its places.
//!
//! Each phrase that stands in a text has a gram, a piece of four bytes, at one of every `stride` places of the text, and
//! that is one of its own first `stride` ones. So it is enough to look at these places: a little of what is described in
//! S. Wu and U. Manber, *A fast algorithm for multi-pattern searching*, 1994.

/// In bytes.
pub const GRAM: usize = 4;
/// More would make the table larger than it saves.
const MOST_STRIDE: usize = 8;
/// In bits: so much room each gram has.
const ROOM: usize = 16;
/// So many phrases are compared with a text, and one for so many bytes: then it is left to who reads all of it.
const ENOUGH: usize = 64;
const BYTES_EACH: usize = 8;

/// The grams of phrases.
#[derive(Debug)]
pub struct GramFilter {
    stride: usize,
    /// A bit for each hash of a gram.
    bits: Vec<u64>,
    /// How far a hash is shifted to the right to be the number of a bit.
    to_bit: u32,
    /// Rising by hash.
    grams: Vec<Gram>,
    /// By the upper bits of a hash: where those that have them begin among the grams; and the end.
    starts: Vec<u32>,
    /// How far a hash is shifted to the right to be a place there.
    to_start: u32,
    phrases: Vec<Box<[u8]>>,
}

#[derive(Clone, Copy, Debug)]
struct Gram {
    gram: u32,
    phrase: u32,
    /// Where in the phrase it begins.
    at: u8,
}

impl GramFilter {
    /// `None`: there are no phrases, or one is shorter than a gram.
    pub fn new<'a>(phrases: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let phrases: Vec<Box<[u8]>> = phrases.into_iter().map(Box::from).collect();
        let shortest = phrases.iter().map(|phrase| phrase.len()).min()?;
        let stride = (shortest + 1).checked_sub(GRAM)?.min(MOST_STRIDE);
        if stride == 0 {
            return None;
        }
        let mut grams = Vec::with_capacity(phrases.len() * stride);
        for (number, phrase) in (0..).zip(&phrases) {
            let all = phrase.windows(GRAM).zip(0..).take(stride);
            grams.extend(all.filter_map(|(gram, at)| {
                let gram = gram_of(gram)?;
                Some(Gram {
                    gram,
                    phrase: number,
                    at,
                })
            }));
        }
        grams.sort_unstable_by_key(|gram| hash(gram.gram));
        let places = grams.len().next_power_of_two().max(2);
        let room = (places * ROOM).max(64);
        let (to_bit, to_start) = (u32::BITS - room.ilog2(), u32::BITS - places.ilog2());
        let mut bits = vec![0; room / 64];
        for gram in &grams {
            let (word, bit) = bit(hash(gram.gram) >> to_bit);
            bits[word] |= bit;
        }
        let start = |place| grams.partition_point(|gram| hash(gram.gram) >> to_start < place);
        let starts = (0..=u32::try_from(places).ok()?).map(|place| u32::try_from(start(place)));
        let starts = starts.collect::<Result<_, _>>().ok()?;
        Some(Self {
            stride,
            bits,
            to_bit,
            grams,
            starts,
            to_start,
            phrases,
        })
    }

    /// Where it says no, there is none.
    pub fn may_have(&self, text: &[u8]) -> bool {
        let mut left = ENOUGH + text.len() / BYTES_EACH;
        let mut at = 0;
        while let Some(gram) = text.get(at..).and_then(<[u8]>::first_chunk) {
            let gram = u32::from_le_bytes(*gram);
            let (word, bit) = bit(hash(gram) >> self.to_bit);
            if self.bits[word] & bit != 0 && self.has_at(text, at, gram, &mut left) {
                return true;
            }
            at += self.stride;
        }
        false
    }

    /// Whether one with this gram stands there, or too many were looked at.
    #[inline(never)]
    fn has_at(&self, text: &[u8], at: usize, gram: u32, left: &mut usize) -> bool {
        let place = (hash(gram) >> self.to_start) as usize;
        let alike = self.starts[place] as usize..self.starts[place + 1] as usize;
        self.grams[alike].iter().any(|other| {
            if *left == 0 {
                return true;
            }
            *left -= 1;
            let start = at.checked_sub(usize::from(other.at));
            let phrase = &self.phrases[other.phrase as usize];
            other.gram == gram && start.is_some_and(|start| text[start..].starts_with(phrase))
        })
    }
}

/// Neighbours come to lie far from each other: it is a multiplication with the golden ratio.
fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1)
}

/// In which word a bit is, and which it is there.
fn bit(number: u32) -> (usize, u64) {
    ((number / 64) as usize, 1 << (number % 64))
}

fn gram_of(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filter(phrases: &[&str]) -> Option<GramFilter> {
        GramFilter::new(phrases.iter().map(|phrase| phrase.as_bytes()))
    }

    #[test]
    fn short_ones_are_not_for_it() {
        assert!(filter(&[]).is_none());
        assert!(filter(&["long enough", "abc"]).is_none());
        assert!(filter(&["long enough", ""]).is_none());
        assert!(filter(&["abcd"]).is_some_and(|filter| filter.may_have(b"..abcd")));
    }

    #[test]
    fn a_text_that_is_made_for_it_takes_no_longer() {
        let phrases: Vec<String> = (0..10_000)
            .map(|number| format!("prefix {number}"))
            .collect();
        let filter = GramFilter::new(phrases.iter().map(String::as_bytes)).unwrap();
        let text = "prefix - ".repeat(100_000);
        let started = std::time::Instant::now();
        assert!(filter.may_have(text.as_bytes()));
        assert!(started.elapsed().as_secs() < 5);
        assert!(!filter.may_have(b"pre fix"));
    }

    proptest! {
        #[test]
        fn whatever_is_there_is_found(
            phrases in proptest::collection::vec("[ab]{6,14}", 1..200),
            text in "[ab]{0,40}[abc]{0,300}",
        ) {
            let filter = GramFilter::new(phrases.iter().map(String::as_bytes)).unwrap();
            let some = phrases.iter().any(|phrase| text.contains(phrase));
            let may = filter.may_have(text.as_bytes());
            prop_assert!(may || !some);
        }

        #[test]
        fn what_is_not_there_is_not(
            phrases in proptest::collection::vec("[a-z]{7,14}", 1..200),
            text in "[a-z ]{0,300}",
            at in any::<prop::sample::Index>(),
            one in any::<Option<prop::sample::Index>>(),
        ) {
            let at = at.index(text.len() + 1);
            let there = one.map_or("", |one| one.get::<String>(&phrases).as_str());
            let text = format!("{}{there}{}", &text[..at], &text[at..]);
            let filter = GramFilter::new(phrases.iter().map(String::as_bytes)).unwrap();
            let some = phrases.iter().any(|phrase| text.contains(phrase));
            prop_assert_eq!(filter.may_have(text.as_bytes()), some);
        }
    }
}
