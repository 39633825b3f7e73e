//! International bank account numbers: <https://www.swift.com/standards/data-standards/iban-international-bank-account-number>

/// The longest number in groups of four, and what stands beside it.
pub const LONGEST: usize = 34 + 9 + 4;

/// How many characters a country's numbers have.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The number whose check digits begin at `digit`.
pub fn at_digits(bytes: &[u8], digit: usize) -> Option<(usize, usize)> {
    let start = digit.checked_sub(2)?;
    let alone = start
        .checked_sub(1)
        .is_none_or(|index| !bytes[index].is_ascii_alphanumeric() && bytes[index] != b'_');
    let country = [
        bytes[start].to_ascii_uppercase(),
        bytes[start + 1].to_ascii_uppercase(),
    ];
    let (_, length) = LENGTHS.iter().find(|(code, _)| **code == country)?;
    if !alone || !bytes.get(digit + 1)?.is_ascii_digit() {
        return None;
    }
    let mut characters = [0; 34];
    let mut count = 0;
    let mut at = start;
    while count < *length {
        match bytes.get(at)? {
            byte if byte.is_ascii_alphanumeric() => {
                characters[count] = byte.to_ascii_uppercase();
                count += 1;
            }
            // In groups of four, which are written in capitals.
            b' ' if count >= 4 && count % 4 == 0 && bytes[at - 1] != b' ' => {
                let group = &bytes[at - 4..at];
                if group.iter().any(u8::is_ascii_lowercase) && count > 4 {
                    return None;
                }
            }
            _ => return None,
        }
        at += 1;
    }
    let ends = !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    (ends && remainder(&characters[..count]) == 1).then_some((start, at))
}

/// ISO 7064: the first four characters moved to the end, letters as 10 to 35, modulo 97.
fn remainder(characters: &[u8]) -> u32 {
    let moved = characters[4..].iter().chain(&characters[..4]);
    moved.fold(0, |sum, character| match character {
        b'0'..=b'9' => (sum * 10 + u32::from(character - b'0')) % 97,
        letter => (sum * 100 + u32::from(letter - b'A') + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_must_be_right() {
        let found = |text: &'static str| {
            let digit = text.bytes().position(|byte| byte.is_ascii_digit()).unwrap();
            at_digits(text.as_bytes(), digit).map(|(start, end)| &text[start..end])
        };
        for iban in [
            "DE89370400440532013000",
            "GB82 WEST 1234 5698 7654 32",
            "NO93 8601 1117 947",
        ] {
            assert_eq!(found(iban), Some(iban));
        }
        assert_eq!(
            found("to de89 3704 0044 0532 0130 00."),
            Some("de89 3704 0044 0532 0130 00")
        );
        for none in [
            "DE88370400440532013000",
            "XX89370400440532013000",
            "DE893704004405320130001",
            "ADE89370400440532013000",
            "DE8",
        ] {
            assert_eq!(found(none), None, "{none}");
        }
    }
}
