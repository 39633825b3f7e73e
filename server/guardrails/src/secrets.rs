//! Keys, tokens and private keys of well-known shapes.

use std::sync::LazyLock;

use crate::pii::{Found, Run};
use crate::vectors::{any_of, position};

/// How a secret of this shape goes on after what it begins with.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// At least so many characters of its alphabet, of which at least one is a digit or an upper-case letter.
    Token { least: usize },
    /// So many letters and digits, neither more nor less.
    Exactly(usize),
    /// Two parts in base64url of JSON objects, and a signature.
    Jwt,
    /// `-----BEGIN … PRIVATE KEY-----`, and all of the key.
    PrivateKey,
}

const SHAPES: &[(&str, Shape)] = &[
    ("sk-", Shape::Token { least: 20 }),
    ("sk_live_", Shape::Token { least: 16 }),
    ("sk_test_", Shape::Token { least: 16 }),
    ("rk_live_", Shape::Token { least: 16 }),
    ("gsk_", Shape::Token { least: 20 }),
    ("xai-", Shape::Token { least: 20 }),
    ("hf_", Shape::Token { least: 20 }),
    ("gw-", Shape::Token { least: 20 }),
    ("ghp_", Shape::Token { least: 30 }),
    ("gho_", Shape::Token { least: 30 }),
    ("ghu_", Shape::Token { least: 30 }),
    ("ghs_", Shape::Token { least: 30 }),
    ("ghr_", Shape::Token { least: 30 }),
    ("github_pat_", Shape::Token { least: 22 }),
    ("glpat-", Shape::Token { least: 20 }),
    ("npm_", Shape::Token { least: 30 }),
    ("xoxb-", Shape::Token { least: 10 }),
    ("xoxa-", Shape::Token { least: 10 }),
    ("xoxp-", Shape::Token { least: 10 }),
    ("xoxr-", Shape::Token { least: 10 }),
    ("xoxs-", Shape::Token { least: 10 }),
    ("xapp-", Shape::Token { least: 10 }),
    ("AIza", Shape::Token { least: 35 }),
    ("ya29.", Shape::Token { least: 20 }),
    ("SG.", Shape::Token { least: 40 }),
    ("AKIA", Shape::Exactly(16)),
    ("ASIA", Shape::Exactly(16)),
    ("eyJ", Shape::Jwt),
    ("-----BEGIN ", Shape::PrivateKey),
];

/// Bytes that are rare in prose. Every beginning has one; by the first of them they are looked for.
const MARKS: [u8; 6] = *b"-_AGJ2";

/// A beginning, found by its first mark.
struct Start {
    /// What stands before the mark, and what behind it.
    before: &'static [u8],
    behind: &'static [u8],
    shape: Shape,
}

/// By the place of the mark among [`MARKS`].
static STARTS: LazyLock<[Vec<Start>; MARKS.len()]> = LazyLock::new(|| {
    MARKS.map(|mark| {
        let starts = SHAPES.iter().filter_map(|(start, shape)| {
            let start = start.as_bytes();
            let at = start.iter().position(|byte| MARKS.contains(byte))?;
            (start[at] == mark).then(|| Start {
                before: &start[..at],
                behind: &start[at + 1..],
                shape: *shape,
            })
        });
        starts.collect()
    })
});

/// In bytes: as much of a secret as has to be there before it is one.
pub const LONGEST: usize = 1024;
/// In bytes, of a JWT's header.
const LONGEST_HEADER: usize = 900;
/// In bytes, of the words between `BEGIN` and the dashes.
const LONGEST_LABEL: usize = 40;

/// The first secret from there on.
pub fn find(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(mark) = position(&bytes[at..], any_of(MARKS)) {
        let mark = at + mark;
        let place = MARKS.iter().position(|byte| *byte == bytes[mark]);
        for start in place.map_or(&[][..], |place| &STARTS[place]) {
            if !bytes[from..mark].ends_with(start.before)
                || !bytes[mark + 1..].starts_with(start.behind)
            {
                continue;
            }
            let body = mark + 1 + start.behind.len();
            let start_at = mark - start.before.len();
            let before = start_at.checked_sub(1).map(|index| bytes[index]);
            // What a private key begins with is part of no word.
            let alone = matches!(start.shape, Shape::PrivateKey)
                || !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if let (true, Some((end, run))) = (alone, matched(start.shape, bytes, body)) {
                return Some(Found {
                    start: start_at,
                    end,
                    run: (end == bytes.len()).then_some(run),
                    what: "secret",
                });
            }
        }
        at = mark + 1;
    }
    None
}

/// Where a secret ends whose beginning ends at `body`, and how it would go on.
fn matched(shape: Shape, bytes: &[u8], body: usize) -> Option<(usize, Run)> {
    let rest = &bytes[body..];
    match shape {
        Shape::Token { least } => {
            let varied = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
            // Beyond what has to be there it makes no difference what comes.
            let first = rest.get(..least)?;
            let enough = first.iter().all(|byte| is_token(*byte)) && first.iter().any(varied);
            enough.then(|| (body + length_of(Run::Token, rest), Run::Token))
        }
        Shape::Exactly(count) => {
            let letter = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
            let length = rest.iter().take(count + 1).take_while(letter).count();
            let ends = !rest.get(length).is_some_and(u8::is_ascii_alphanumeric);
            (length == count && ends).then_some((body + length, Run::Nothing))
        }
        Shape::Jwt => {
            let header = rest.iter().take(LONGEST_HEADER + 1);
            let header = header.take_while(|byte| is_token(**byte)).count();
            let payload = rest.get(header..)?.strip_prefix(b".eyJ")?;
            let enough = (10..=LONGEST_HEADER).contains(&header) && payload.len() >= 8;
            if !enough || !payload[..8].iter().all(|byte| is_token(*byte)) {
                return None;
            }
            let length = length_of(Run::Dotted, rest);
            Some((body + length, Run::Dotted))
        }
        Shape::PrivateKey => {
            let window = &rest[..rest.len().min(LONGEST_LABEL)];
            let label = window
                .iter()
                .take_while(|byte| byte.is_ascii_uppercase() || **byte == b' ')
                .count();
            if !window[..label].ends_with(b"PRIVATE KEY") || !rest[label..].starts_with(b"-----") {
                return None;
            }
            let key = label + 5;
            let length = key + length_of(Run::Key, &rest[key..]);
            Some((body + length, Run::Key))
        }
    }
}

/// How many bytes go on like this.
pub fn length_of(run: Run, bytes: &[u8]) -> usize {
    let goes_on = |byte: &&u8| match run {
        Run::Nothing => false,
        Run::Token => is_token(**byte),
        Run::Dotted => is_token(**byte) || **byte == b'.',
        // Its lines, and those at its end. In a string of JSON or of a program the ends of lines are escaped.
        Run::Key => byte.is_ascii_alphanumeric() || b"+/=\r\n\\-, :\t ".contains(*byte),
    };
    bytes.iter().take_while(goes_on).count()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_whole() {
        let token = "aB3".repeat(15);
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N";
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/=\nABC\n-----END RSA PRIVATE KEY-----";
        for secret in [
            &format!("sk-{token}"),
            &format!("sk-ant-api03-{token}-x_y"),
            &format!("ghp_{token}"),
            &format!("github_pat_{token}"),
            &format!("xoxb-{token}"),
            &format!("AIza{token}"),
            &format!("gw-{token}"),
            "AKIAIOSFODNN7EXAMPLE",
            jwt,
            key,
        ] {
            let text = format!("it is {secret}; keep it.");
            let found = find(&text, 0).unwrap_or_else(|| panic!("{secret}"));
            assert_eq!(&text[found.start..found.end], secret);
            assert!(found.run.is_none());
            assert!(find(secret, 0).is_some());
        }
        assert!(find(&format!("KEY{key}"), 0).is_some());
    }

    #[test]
    fn every_beginning_has_a_mark() {
        let starts: usize = STARTS.iter().map(Vec::len).sum();
        assert_eq!(starts, SHAPES.len());
    }

    #[test]
    fn words_are_no_secrets() {
        for text in [
            "sk-learn and task-oriented-programming-with-dashes",
            "risk-aB3aB3aB3aB3aB3aB3aB3aB3aB3",
            "AKIAIOSFODNN7EXAMPLES",
            "eyJ is how JSON begins in base64",
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----",
        ] {
            assert!(find(text, 0).is_none(), "{text}");
        }
    }
}
