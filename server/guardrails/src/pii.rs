//! Personal data that can be told from other text by its shape and its check digits.

use std::net::Ipv6Addr;

use shared::policies::PiiKind;

use crate::iban;
use crate::secrets;
use crate::vectors::{digits, position};

/// Something found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    /// It reaches the end of the text, and would go on with more of this.
    pub run: Option<Run>,
    pub what: &'static str,
}

/// What a thing without a length of its own consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    Nothing,
    Token,
    Dotted,
    Key,
}

/// The kinds that a rule looks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

const ALL: [PiiKind; 7] = [
    PiiKind::Email,
    PiiKind::Phone,
    PiiKind::CreditCard,
    PiiKind::Iban,
    PiiKind::UsSsn,
    PiiKind::IpAddress,
    PiiKind::Secret,
];

impl Kinds {
    /// None given are all.
    pub fn new(kinds: &[PiiKind]) -> Self {
        let kinds = if kinds.is_empty() { &ALL } else { kinds };
        Self(kinds.iter().fold(0, |set, kind| set | bit(*kind)))
    }

    /// Those of both.
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn has(self, kind: PiiKind) -> bool {
        self.0 & bit(kind) != 0
    }
}

fn bit(kind: PiiKind) -> u8 {
    1 << kind as u8
}

/// The longest part of a mail address before its `@`, and of its domain: RFC 5321, 4.5.3.1.
const LOCAL: usize = 64;
const DOMAIN: usize = 255;
/// The digits of a telephone number with two characters between each two.
const NUMBER: usize = 48;
const ADDRESS: usize = 45;

/// What is found first from there on, of several at one place the longest.
pub fn find(kinds: Kinds, text: &str, from: usize) -> Option<Found> {
    first(Look::ALL.map(|look| look.find(kinds, text, from)))
}

/// Of several the one that begins first, and of those at one place the longest.
pub fn first(found: impl IntoIterator<Item = Option<Found>>) -> Option<Found> {
    let found = found.into_iter().flatten();
    found.min_by_key(|found| (found.start, usize::MAX - found.end))
}

/// What a text is looked through for at once.
#[derive(Clone, Copy, Debug)]
pub enum Look {
    Email,
    Secret,
    Ipv6,
    Number,
}

impl Look {
    pub const ALL: [Self; 4] = [Self::Email, Self::Secret, Self::Ipv6, Self::Number];

    /// What is found first of these kinds from there on.
    #[inline]
    pub fn find(self, kinds: Kinds, text: &str, from: usize) -> Option<Found> {
        match self {
            Self::Email if kinds.has(PiiKind::Email) => email(text, from),
            Self::Secret if kinds.has(PiiKind::Secret) => secrets::find(text, from),
            Self::Ipv6 if kinds.has(PiiKind::IpAddress) => ipv6(text, from),
            Self::Number => number(kinds, text, from),
            Self::Email | Self::Secret | Self::Ipv6 => None,
        }
    }
}

/// From where on something may begin that the end of the text cuts off.
pub fn pending(kinds: Kinds, text: &str, from: usize) -> usize {
    let longest = if kinds.has(PiiKind::Secret) {
        secrets::LONGEST
    } else if kinds.has(PiiKind::Email) {
        LOCAL + 1 + DOMAIN
    } else {
        NUMBER.max(ADDRESS).max(iban::LONGEST)
    } + 4;
    let bytes = text.as_bytes();
    let earliest = text.floor_char_boundary(text.len().saturating_sub(longest).max(from));
    // The last word may go on, and so may numbers in groups before it.
    let mut start = word_start(bytes, text.len(), earliest);
    let mut at = start;
    while at > earliest {
        let end = earliest + bytes[earliest..at].trim_ascii_end().len();
        let word = word_start(bytes, end, earliest);
        if word >= end || at - end > 2 || !is_group(&bytes[word..end]) {
            break;
        }
        start = word;
        at = word;
    }
    // The dashes and words that a private key begins with.
    if kinds.has(PiiKind::Secret)
        && let Some(begin) = text[earliest..].rfind("-----BEGIN ")
        && text.len() - (earliest + begin) < 64
    {
        start = start.min(earliest + begin);
    }
    start.clamp(earliest, text.len()).max(from)
}

fn word_start(bytes: &[u8], end: usize, earliest: usize) -> usize {
    let length = bytes[earliest..end]
        .iter()
        .rev()
        .take_while(|byte| !byte.is_ascii_whitespace())
        .count();
    end - length
}

/// Whether a word may be a part of a number that is written in groups.
fn is_group(word: &[u8]) -> bool {
    let capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    word.iter().any(u8::is_ascii_digit)
        || word.len() <= 4 && word.iter().all(capital)
        || word.iter().all(|byte| b"-/.()+".contains(byte))
}

/// <https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address>, with letters of any script.
fn email(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        let sign = at + memchr::memchr(b'@', &bytes[at..])?;
        at = sign + 1;
        let earliest = text.ceil_char_boundary(sign.saturating_sub(LOCAL).max(from));
        let start = text[earliest..sign]
            .char_indices()
            .rev()
            .take_while(|(_, character)| is_local(*character))
            .last()
            .map_or(sign, |(index, _)| earliest + index);
        let start = sign - text[start..sign].trim_start_matches('.').len();
        if start == sign || bytes[sign - 1] == b'.' {
            continue;
        }
        let domain =
            &text[sign + 1..text.floor_char_boundary((sign + 1 + DOMAIN).min(bytes.len()))];
        if let Some(length) = domain_length(domain) {
            return Some(Found {
                start,
                end: sign + 1 + length,
                run: None,
                what: "email",
            });
        }
    }
}

fn is_local(character: char) -> bool {
    character.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(character)
}

/// As much of a text as is a domain with at least one dot, whose last label is a word.
fn domain_length(text: &str) -> Option<usize> {
    let is_label = |character: char| character.is_alphanumeric() || character == '-';
    let mut good = None;
    let mut at = 0;
    loop {
        let label = text[at..].split(|one: char| !is_label(one)).next()?;
        let label = label.trim_end_matches('-');
        if label.is_empty() || label.starts_with('-') {
            return good;
        }
        let end = at + label.len();
        let word = label.chars().count() >= 2 && !label.contains(|one: char| one.is_ascii_digit());
        if at > 0 && (word || label.starts_with("xn--")) {
            good = Some(end);
        }
        if !text[end..].starts_with('.') {
            return good;
        }
        at = end + 1;
    }
}

/// What consists of digits, or begins with two letters and two digits.
fn number(kinds: Kinds, text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        let digit = at + position(&bytes[at..], digits)?;
        let run = bytes[digit..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit());
        at = digit + run.count();
        let mut first: Option<Found> = None;
        let mut take = |what, found: Option<(usize, usize)>| {
            if let Some((start, end)) = found
                && start >= from
                && first
                    .is_none_or(|one| (start, usize::MAX - end) < (one.start, usize::MAX - one.end))
            {
                let run = None;
                first = Some(Found {
                    start,
                    end,
                    run,
                    what,
                });
            }
        };
        if kinds.has(PiiKind::Iban) {
            take("iban", iban::at_digits(bytes, digit));
        }
        if starts_alone(bytes, digit) {
            if kinds.has(PiiKind::CreditCard) {
                take("credit_card", card(bytes, digit));
            }
            if kinds.has(PiiKind::UsSsn) {
                take("us_ssn", ssn(bytes, digit));
            }
            if kinds.has(PiiKind::IpAddress) {
                take("ip_address", ipv4(bytes, digit));
            }
            if kinds.has(PiiKind::Phone) {
                take("phone", phone(bytes, digit));
            }
        }
        if first.is_some() {
            return first;
        }
    }
}

/// No letter, digit or point of a number stands before it.
fn starts_alone(bytes: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|index| bytes[index]) else {
        return true;
    };
    let point = matches!(before, b'.' | b',') && at >= 2 && bytes[at - 2].is_ascii_digit();
    !(before.is_ascii_alphanumeric() || before == b'_' || point)
}

fn ends_alone(bytes: &[u8], at: usize) -> bool {
    !bytes
        .get(at)
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// 13 to 19 digits, in groups of at least three or in one: ISO/IEC 7812.
fn card(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    let mut digits = [0; 19];
    let mut count = 0;
    let mut at = start;
    let mut best = None;
    let mut in_group = 0;
    while count < digits.len() {
        match bytes.get(at) {
            Some(digit) if digit.is_ascii_digit() => {
                digits[count] = digit - b'0';
                count += 1;
                in_group += 1;
            }
            Some(b' ' | b'-')
                if in_group >= 3 && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) =>
            {
                in_group = 0;
                at += 1;
                continue;
            }
            _ => break,
        }
        at += 1;
        if count >= 13 && ends_alone(bytes, at) && luhn(&digits[..count]) {
            best = Some((start, at));
        }
    }
    best
}

/// <https://en.wikipedia.org/wiki/Luhn_algorithm>; all zeros are no number.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, digit) {
            (1, 5..) => u32::from(digit * 2 - 9),
            (1, _) => u32::from(digit * 2),
            _ => u32::from(*digit),
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// Three, two and four digits, as they are given out: <https://www.ssa.gov/employer/randomization.html>.
fn ssn(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    let number = bytes.get(start..start + 11)?;
    let digits = |from: usize, to: usize| {
        let all = number[from..to].iter().all(u8::is_ascii_digit);
        all.then(|| {
            number[from..to]
                .iter()
                .fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'))
        })
    };
    let between = number[3];
    let parted = matches!(between, b'-' | b' ') && number[6] == between;
    let (area, group, serial) = (digits(0, 3)?, digits(4, 6)?, digits(7, 11)?);
    let given = area != 0 && area != 666 && area < 900 && group != 0 && serial != 0;
    let goes_on = bytes.get(start + 11) == Some(&b'-')
        && bytes.get(start + 12).is_some_and(u8::is_ascii_digit);
    let end = start + 11;
    (parted && given && !goes_on && ends_alone(bytes, end)).then_some((start, end))
}

fn ipv4(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    let mut at = start;
    for part in 0..4 {
        if part > 0 {
            if bytes.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let rest = &bytes[at..];
        let length = rest
            .iter()
            .take(4)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let value = rest[..length]
            .iter()
            .fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        if !(1..=3).contains(&length) || value > 255 {
            return None;
        }
        at += length;
    }
    let goes_on = bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
    (!goes_on && ends_alone(bytes, at)).then_some((start, at))
}

fn ipv6(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':' || *byte == b'.';
    let mut at = from;
    loop {
        let colon = at + memchr::memchr(b':', &bytes[at..])?;
        let earliest = colon.saturating_sub(4).max(from);
        let before = bytes[earliest..colon].iter().rev();
        let start = colon - before.take_while(|byte| byte.is_ascii_hexdigit()).count();
        let length = bytes[start..]
            .iter()
            .take(ADDRESS + 1)
            .take_while(|byte| is_part(byte))
            .count();
        at = (start + length).max(colon + 1);
        if length > ADDRESS {
            // It is no address, however it goes on.
            let more = bytes[at..].iter().take_while(|byte| is_part(byte)).count();
            at += more;
            continue;
        }
        let mut end = start + length;
        // At the end of a sentence.
        while end > start
            && (bytes[end - 1] == b'.'
                || text[start..end].ends_with(':') && !text[start..end].ends_with("::"))
        {
            end -= 1;
        }
        let written = &text[start..end];
        let alone = start.checked_sub(1).is_none_or(|index| {
            !(bytes[index].is_ascii_alphanumeric() || matches!(bytes[index], b'_' | b':' | b'.'))
        });
        if alone
            && ends_alone(bytes, end)
            && written.contains(|one: char| one.is_ascii_digit())
            && written.parse::<Ipv6Addr>().is_ok()
        {
            return Some(Found {
                start,
                end,
                run: None,
                what: "ip_address",
            });
        }
    }
}

/// A number that is written as one to be called: with a `+`, with an area code in the North American way, or with a
/// leading zero and something between its parts. <https://www.itu.int/rec/T-REC-E.164>
fn phone(bytes: &[u8], digit: usize) -> Option<(usize, usize)> {
    let before = |back: usize| digit.checked_sub(back).map(|index| bytes[index]);
    let plus = before(1) == Some(b'+') || before(1) == Some(b'(') && before(2) == Some(b'+');
    let mut start = digit;
    while start > 0 && matches!(bytes[start - 1], b'+' | b'(') && digit - start < 2 {
        start -= 1;
    }
    if !starts_alone(bytes, start) {
        return None;
    }
    let mut groups = [0usize; 16];
    let mut group = 0;
    let mut count = 0;
    let mut end = digit;
    let mut at = digit;
    while count < 15 {
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_digit() => {
                groups[group] += 1;
                count += 1;
                at += 1;
                end = at;
            }
            Some(b' ' | b'-' | b'.' | b'/' | b'(' | b')') if group < 15 => {
                let between = bytes[at..]
                    .iter()
                    .take(3)
                    .take_while(|byte| b" -./()".contains(byte))
                    .count();
                if between > 2 || !bytes.get(at + between).is_some_and(u8::is_ascii_digit) {
                    break;
                }
                group += 1;
                at += between;
            }
            _ => break,
        }
    }
    if !ends_alone(bytes, end) {
        return None;
    }
    let groups = &groups[..=group];
    let good = if plus {
        count >= 7
    } else if bytes[digit] == b'0' {
        let zeros = bytes[digit..]
            .iter()
            .take_while(|byte| **byte == b'0')
            .count();
        (8..=15).contains(&count) && groups.len() >= 2 && zeros <= 2 && groups[0] >= 2
    } else {
        let national = match groups {
            [1, rest @ ..] if bytes[digit] == b'1' => rest,
            all => all,
        };
        let area = if national.len() == groups.len() {
            digit
        } else {
            digit + 2
        };
        let mut area = bytes.get(area..).unwrap_or_default().iter();
        let area = area.find(|byte| byte.is_ascii_digit());
        national == [3, 3, 4] && area.is_some_and(|digit| *digit >= b'2')
    };
    good.then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pending_begins_where_it_is_looked_for() {
        for text in ["𐀀𐀀𐀀\n\nid-", "1234\n\n5678", "  ", "\n\n\n4", "a 1 \n 2 \n"] {
            for from in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                let pending = pending(Kinds::new(&ALL), text, from);
                assert!(
                    (from..=text.len()).contains(&pending),
                    "{text:?} from {from}"
                );
            }
        }
    }

    #[test]
    fn the_first_digit_is_found_wherever_it_stands() {
        let mut bytes = [b'/'; 100];
        assert_eq!(position(&bytes, digits), None);
        for at in (0..bytes.len()).rev() {
            bytes[at] = if at % 2 == 0 { b'0' } else { b'9' };
            for from in 0..=at {
                assert_eq!(position(&bytes[from..], digits), Some(at - from));
            }
        }
    }

    fn found(kind: PiiKind, text: &str) -> Vec<&str> {
        let mut all = Vec::new();
        let mut from = 0;
        while let Some(one) = find(Kinds::new(&[kind]), text, from) {
            all.push(&text[one.start..one.end]);
            from = one.end;
        }
        all
    }

    #[test]
    fn mail_addresses() {
        let text =
            "To: a.b+c@example.co.uk, <Zoë@bücher.example>; x@y, @home a@b.c1. me@mail.example.";
        let expected = [
            "a.b+c@example.co.uk",
            "Zoë@bücher.example",
            "me@mail.example",
        ];
        assert_eq!(found(PiiKind::Email, text), expected);
    }

    #[test]
    fn cards_have_a_right_check_digit() {
        let text =
            "4111 1111 1111 1111, 4111111111111112 or 3782-822463-10005 and 0000000000000000";
        assert_eq!(
            found(PiiKind::CreditCard, text),
            ["4111 1111 1111 1111", "3782-822463-10005"]
        );
        assert_eq!(
            found(PiiKind::CreditCard, "4111 1111 1111 1111 12/26"),
            ["4111 1111 1111 1111"]
        );
        assert_eq!(
            found(PiiKind::CreditCard, "x4111111111111111 0.4111111111111111"),
            [""; 0]
        );
    }

    #[test]
    fn social_security_numbers() {
        let text =
            "078-05-1120 000-12-3456 666-12-3456 912-12-3456 123-00-1234 123 45 6789 123-45-67890";
        assert_eq!(found(PiiKind::UsSsn, text), ["078-05-1120", "123 45 6789"]);
    }

    #[test]
    fn addresses_of_the_internet() {
        let text =
            "10.0.0.1, 256.1.1.1 1.2.3.4.5 fe80::1. 2001:db8:0:0:0:0:0:1 std::fs a::b 12:30:45";
        let expected = ["10.0.0.1", "fe80::1", "2001:db8:0:0:0:0:0:1"];
        assert_eq!(found(PiiKind::IpAddress, text), expected);
    }

    #[test]
    fn telephone_numbers() {
        let text = "+1 (415) 555-2671, 415-555-2671; (415) 555-2671. +49 30 1234567 030/1234567 1-800-555-0199";
        let expected = [
            "+1 (415) 555-2671",
            "415-555-2671",
            "(415) 555-2671",
            "+49 30 1234567 030",
            "1-800-555-0199",
        ];
        let all = found(PiiKind::Phone, text);
        assert_eq!(all[..3], expected[..3]);
        assert!(all.contains(&"1-800-555-0199"), "{all:?}");
        for none in [
            "2024-01-15",
            "12345678901234",
            "1.234.567",
            "v1.2.3",
            "100-200-300",
        ] {
            assert_eq!(found(PiiKind::Phone, none), [""; 0], "{none}");
        }
        assert_eq!(
            found(PiiKind::Phone, "call 0171-1234567 now"),
            ["0171-1234567"]
        );
    }

    #[test]
    fn what_may_go_on_is_pending() {
        let all = Kinds::new(&[]);
        for (text, expected) in [
            ("write to jane", 9),
            ("call +49 30 ", 5),
            ("card 4111 1111", 5),
            ("nothing here ", 13),
            ("key: -----BEGIN RSA PRI", 5),
        ] {
            assert_eq!(pending(all, text, 0), expected, "{text}");
        }
    }
}
