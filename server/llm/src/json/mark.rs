//! What is quickly said of a JSON text.

use super::string::quote;
use super::{JsonError, Scanner};

/// A sum over all strings in a value: the same for two that differ only in white space, in the order of members or in how
/// a character is escaped, and hardly ever the same for two that say different things. `None`: the strings are longer
/// than `most` bytes together.
///
/// # Errors
/// Not JSON. Not all that is not is noticed.
pub fn mark(json: &str, most: usize, hash: fn(&[u8]) -> u64) -> Result<Option<u64>, JsonError> {
    let mut scanner = Scanner::new(json);
    let (mut sum, mut left) = (0_u64, most);
    while let Some(to_quote) = json[scanner.position()..].find('"') {
        scanner.rewind(scanner.position() + to_quote);
        let string = scanner.string()?;
        let mut add = |text: &[u8]| {
            sum = sum.wrapping_add(hash(text));
            text.len()
        };
        let length = match string.shortest() {
            Some(written) => add(written.as_bytes()),
            None => {
                let quoted = quote(&string.decode());
                add(&quoted[1..quoted.len() - 1])
            }
        };
        match left.checked_sub(length) {
            Some(less) => left = less,
            None => return Ok(None),
        }
    }
    Ok(Some(sum))
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher};

    use super::*;

    fn hash(bytes: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        hasher.finish()
    }

    #[test]
    fn says_the_same_of_what_says_the_same() {
        let of = |json| mark(json, 100, hash).unwrap();
        let one = of(r#"[{"role":"user","content":"ä/\n"}]"#);
        assert!(one.is_some());
        assert_eq!(
            one,
            of(r#"[ { "content" : "\u00e4\/\u000a", "role" : "user" } ]"#)
        );
        assert_ne!(one, of(r#"[{"role":"user","content":"ä/"}]"#));
        assert_eq!(of("[1, 2]"), Some(0));
    }

    #[test]
    fn says_nothing_of_long_texts() {
        let of = |length: usize| mark(&format!("[\"{}\",\"ab\"]", "x".repeat(length)), 10, hash);
        assert!(of(8).unwrap().is_some());
        assert_eq!(of(9).unwrap(), None);
        assert_eq!(of(11).unwrap(), None);
        assert!(mark("[\"", 10, hash).is_err());
    }
}
