//! Integers in as few bytes as they need: LEB128, seven bits a byte, lowest first.

/// Appends `value`.
pub(super) fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends `value`, small also when it is negative.
pub(super) fn push_signed(out: &mut Vec<u8>, value: i64) {
    push(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Takes a value from the front of `bytes`; `None` when they are not one.
#[inline]
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    // Nearly all are small.
    if let Some((byte, rest)) = bytes.split_first()
        && byte & 0x80 == 0
    {
        *bytes = rest;
        return Some(u64::from(*byte));
    }
    take_long(bytes)
}

fn take_long(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (i, byte) in bytes.iter().enumerate() {
        // The tenth byte holds the one bit that is left.
        if i == 9 && *byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            *bytes = &bytes[i + 1..];
            return Some(value);
        }
    }
    None
}

/// Takes what [`push_signed`] wrote.
pub(super) fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    let value = take(bytes)?;
    Some((value >> 1) as i64 ^ -((value & 1) as i64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(unsigned: u64, signed: i64) {
            let mut bytes = Vec::new();
            super::push(&mut bytes, unsigned);
            super::push_signed(&mut bytes, signed);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(super::take(&mut rest), Some(unsigned));
            prop_assert_eq!(super::take_signed(&mut rest), Some(signed));
            prop_assert!(rest.is_empty());
            prop_assert_eq!(super::take(&mut &bytes[..0]), None);
        }
    }

    #[test]
    fn more_than_64_bits_are_refused() {
        assert_eq!(super::take(&mut &[0xff; 10][..]), None);
        assert_eq!(super::take(&mut &[0x80; 12][..]), None);
    }
}
