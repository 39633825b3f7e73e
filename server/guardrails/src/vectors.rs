//! Texts, sixteen bytes at a time: left to the compiler, it becomes a jump a byte.

use std::borrow::Cow;

use wide::u8x16;

const LANES: usize = 16;

/// Where the first byte is that `is` has all bits set for; none of what it looks for is 0.
pub fn position(bytes: &[u8], is: impl Fn(u8x16) -> u8x16) -> Option<usize> {
    let first = |piece: [u8; LANES]| {
        let found = is(u8x16::new(piece)).to_bitmask();
        (found != 0).then(|| found.trailing_zeros() as usize)
    };
    let (pieces, rest) = bytes.as_chunks::<LANES>();
    for (index, piece) in pieces.iter().enumerate() {
        if let Some(at) = first(*piece) {
            return Some(index * LANES + at);
        }
    }
    let mut last = [0; LANES];
    last[..rest.len()].copy_from_slice(rest);
    first(last).map(|at| pieces.len() * LANES + at)
}

/// ASCII digits.
pub fn digits(bytes: u8x16) -> u8x16 {
    between(bytes, b'0', b'9')
}

fn between(bytes: u8x16, first: u8, last: u8) -> u8x16 {
    let (first, last) = (u8x16::splat(first), u8x16::splat(last));
    bytes.max(first).simd_eq(bytes) & bytes.min(last).simd_eq(bytes)
}

/// The same with small letters in the place of capital ones of ASCII.
pub fn ascii_lowercase(bytes: &[u8]) -> Cow<'_, [u8]> {
    let capital = |bytes| between(bytes, b'A', b'Z');
    let Some(first) = position(bytes, capital) else {
        return Cow::Borrowed(bytes);
    };
    let small = |piece: [u8; LANES]| {
        let piece = u8x16::new(piece);
        (piece | capital(piece) & u8x16::splat(0x20)).to_array()
    };
    let mut lowered = bytes.to_vec();
    let (pieces, rest) = lowered[first..].as_chunks_mut::<LANES>();
    for piece in pieces {
        *piece = small(*piece);
    }
    rest.make_ascii_lowercase();
    Cow::Owned(lowered)
}

/// Any of these.
pub fn any_of<const N: usize>(these: [u8; N]) -> impl Fn(u8x16) -> u8x16 {
    let these = these.map(u8x16::splat);
    move |bytes| {
        let none = u8x16::splat(0);
        these
            .iter()
            .fold(none, |any, this| any | bytes.simd_eq(*this))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_one_is_found(text in "[a-z0-9:@/ -]{0,80}", from in 0..80usize) {
            let bytes = text.as_bytes().get(from..).unwrap_or_default();
            prop_assert_eq!(position(bytes, digits), bytes.iter().position(u8::is_ascii_digit));
            let marks = *b"-:@";
            let expected = bytes.iter().position(|byte| marks.contains(byte));
            prop_assert_eq!(position(bytes, any_of(marks)), expected);
        }

        #[test]
        fn capital_letters_become_small(text in "[@A-Z\\[`a-z{ é]{0,80}") {
            let expected = text.to_ascii_lowercase();
            prop_assert_eq!(&*ascii_lowercase(text.as_bytes()), expected.as_bytes());
        }
    }
}
