//! JSON as what it says: the same bytes for two documents that differ only in white space, in the order of members or
//! in how a character is escaped.

use super::string::quote;
use super::{JsonError, JsonStr, Kind, Scanner};

/// Appends the canonical form of a value to a buffer. No two values that say different things have the same form, and
/// no form is the beginning of another. Numbers count as they were written: `1` is not `1.0`. Of long strings there is
/// a digest only, so that they need not be copied, and of long arrays digests of their parts: what is written stays in
/// the processor's cache, and short.
#[derive(Debug)]
pub struct Canonical {
    digest: Digest,
    /// Members of the objects that are open, and where each ends in the buffer.
    members: Vec<(usize, usize, usize)>,
    scratch: Vec<u8>,
}

/// Appends an object of which the members named in `aside` do not count.
///
/// # Errors
/// Not an object in JSON. What was appended before stays.
pub fn write_without(
    aside: &[&str],
    document: &[u8],
    out: &mut Vec<u8>,
    digest: Digest,
) -> Result<(), JsonError> {
    let mut scanner = Scanner::from_utf8(document)?;
    let mut members = scanner.enter_object()?;
    Canonical::new(digest).object(out, |canonical, out| {
        while let Some(key) = scanner.next_member(&mut members)? {
            if aside.contains(&&*key.decode()) {
                scanner.skip_value()?;
                continue;
            }
            let start = out.len();
            canonical.string(&key, out);
            let end = out.len();
            canonical.value(&mut scanner, out)?;
            return Ok(Some((start, end)));
        }
        Ok(None)
    })?;
    scanner.end()
}

/// A cryptographic hash: no two texts are found that have the same.
pub type Digest = fn(&[u8]) -> [u8; 32];

/// In bytes: longer strings become digests. Shorter ones are hashed faster together with all else.
const LONG: usize = 16 << 10;

/// In bytes of their forms: as soon as items of an array are longer together, they become a digest.
const MANY: usize = 64 << 10;

impl Canonical {
    pub fn new(digest: Digest) -> Self {
        Self {
            digest,
            members: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Appends what comes next in the scanner.
    ///
    /// # Errors
    /// Not JSON. What was appended before stays.
    pub fn value(&mut self, scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Result<(), JsonError> {
        match scanner.peek()? {
            Kind::Object => {
                let mut members = scanner.enter_object()?;
                self.object(out, |own, out| {
                    let Some(key) = scanner.next_member(&mut members)? else {
                        return Ok(None);
                    };
                    let start = out.len();
                    own.string(&key, out);
                    let end = out.len();
                    own.value(scanner, out)?;
                    Ok(Some((start, end)))
                })
            }
            Kind::Array => {
                out.push(b'[');
                let mut whole = out.len();
                let mut items = scanner.enter_array()?;
                while scanner.next_item(&mut items)? {
                    self.value(scanner, out)?;
                    if out.len() - whole > MANY {
                        let digest = (self.digest)(&out[whole..]);
                        out.truncate(whole);
                        out.push(b'@');
                        out.extend_from_slice(&digest);
                        whole = out.len();
                    }
                }
                out.push(b']');
                Ok(())
            }
            Kind::String => {
                self.string(&scanner.string()?, out);
                Ok(())
            }
            Kind::Number => {
                let span = scanner.skip_value()?;
                sized(b'#', &scanner.text().as_bytes()[span], out);
                Ok(())
            }
            Kind::Bool | Kind::Null => {
                let span = scanner.skip_value()?;
                out.push(scanner.text().as_bytes()[span.start]);
                Ok(())
            }
        }
    }

    /// Appends an object of which `next` appends member after member, and says where each began and its key ended.
    /// Those of one key stay in their order.
    ///
    /// # Errors
    /// What `next` says.
    pub fn object(
        &mut self,
        out: &mut Vec<u8>,
        mut next: impl FnMut(&mut Self, &mut Vec<u8>) -> Result<Option<(usize, usize)>, JsonError>,
    ) -> Result<(), JsonError> {
        out.push(b'{');
        let first = self.members.len();
        let start = out.len();
        while let Some((start, key_end)) = next(self, out)? {
            self.members.push((start, key_end, out.len()));
        }
        let members = &mut self.members[first..];
        let key = |&(start, end, _): &(usize, usize, usize)| &out[start..end];
        if !members.is_sorted_by_key(key) {
            members.sort_by(|one, other| key(one).cmp(key(other)));
            self.scratch.clear();
            for &(start, _, end) in &*members {
                self.scratch.extend_from_slice(&out[start..end]);
            }
            out[start..].copy_from_slice(&self.scratch);
        }
        self.members.truncate(first);
        out.push(b'}');
        Ok(())
    }

    /// Appends a string, in its shortest spelling: most clients use it, so that it need not be read.
    pub fn string(&self, text: &JsonStr<'_>, out: &mut Vec<u8>) {
        if let Some(written) = text.shortest() {
            return self.text(*b"sd", written.as_bytes(), out);
        }
        let read = text.decode();
        // Lone surrogates are all read as this one character: only how they were written tells them apart.
        if read.contains('\u{fffd}') {
            return self.text(*b"SD", text.written().as_bytes(), out);
        }
        let quoted = quote(&read);
        self.text(*b"sd", &quoted[1..quoted.len() - 1], out);
    }

    /// A text with the first tag, or the digest of a long one with the second.
    fn text(&self, [whole, digest]: [u8; 2], text: &[u8], out: &mut Vec<u8>) {
        if text.len() <= LONG {
            return sized(whole, text, out);
        }
        out.push(digest);
        out.extend_from_slice(&(self.digest)(text));
    }
}

/// Bytes with a tag and their length.
fn sized(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use super::*;

    /// Good enough for what nobody chose so that it fails.
    fn digest(bytes: &[u8]) -> [u8; 32] {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&hasher.finish().to_le_bytes());
        digest
    }

    fn form(json: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut scanner = Scanner::new(json);
        Canonical::new(digest)
            .value(&mut scanner, &mut out)
            .unwrap();
        scanner.end().unwrap();
        out
    }

    #[test]
    fn the_same_said_otherwise() {
        let one = r#"{"b":[1,{"y":null,"x":true}],"a":"ä\n","":{}}"#;
        let other =
            "{ \"\" : { }, \"a\":\"\\u00e4\\u000a\",\n\"b\":[ 1 , {\"x\":true,\"y\":null} ] }";
        assert_eq!(form(one), form(other));
        // What follows a nested object is sorted as well as what stands before it.
        assert_eq!(
            form(r#"{"z":{"b":1,"a":2},"y":{"d":1,"c":2}}"#),
            form(r#"{"y":{"c":2,"d":1},"z":{"a":2,"b":1}}"#)
        );
    }

    #[test]
    fn members_that_do_not_count() {
        let form = |json: &str| {
            let mut out = Vec::new();
            write_without(&["user", "model"], json.as_bytes(), &mut out, digest).map(|()| out)
        };
        let bare = form(r#"{"input":[1,2]}"#).unwrap();
        assert_eq!(
            form(r#"{"user":{"a":[]}, "input": [1, 2],"mod\u0065l":""}"#),
            Ok(bare.clone())
        );
        assert_ne!(form(r#"{"input":[1,2],"other":""}"#), Ok(bare));
        assert!(form("[]").is_err() && form("{} {}").is_err());
    }

    #[test]
    fn long_strings_are_not_copied() {
        let long = "x".repeat(LONG + 1);
        assert!(form(&format!(r#"{{"a":"{long}"}}"#)).len() < 100);
        let escaped = format!(r#""\u0078{}""#, "x".repeat(LONG));
        assert_eq!(form(&format!("\"{long}\"")), form(&escaped));
    }

    #[test]
    fn long_arrays_stay_short() {
        let text = format!("\"{}\"", "x".repeat(1000));
        let array = |last: &str| format!("[{}{last}]", format!("{text}, ").repeat(1000));
        let written = form(&array("1"));
        assert!(written.len() < MANY + 1000, "{}", written.len());
        assert_eq!(written, form(&array("1").replace(", ", ",")));
        assert_ne!(written, form(&array("2")));
        let other = array("1").replacen('x', "y", 1);
        assert_ne!(written, form(&other));
    }

    #[test]
    fn something_else() {
        let long = |last: &str| format!("\"{}{last}\"", "x".repeat(LONG));
        let long = ["a", "b", r"\ud83d", r"\ud83e"].map(long);
        let all = [
            "1",
            "1.0",
            "10",
            "\"1\"",
            "[]",
            "{}",
            "null",
            "true",
            "false",
            "\"\"",
            "[1]",
            "[[1]]",
            "[1,1]",
            "[11]",
            "[[],1]",
            "[[1],[]]",
            r#"{"a":1}"#,
            r#"{"a":[]}"#,
            r#"{"a":1,"b":2}"#,
            r#"{"a":2,"b":1}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":2,"a":1}"#,
            r#""\ud83d""#,
            r#""\ud83e""#,
            r#""\ufffd""#,
            r#""t""#,
            r#"["ab","c"]"#,
            r#"["a","bc"]"#,
            &long[0],
            &long[1],
            &long[2],
            &long[3],
        ];
        let forms: Vec<_> = all.iter().map(|json| form(json)).collect();
        for (at, one) in forms.iter().enumerate() {
            for (other, two) in forms.iter().enumerate().skip(at + 1) {
                assert!(
                    !one.starts_with(two) && !two.starts_with(one),
                    "{} {}",
                    all[at],
                    all[other]
                );
            }
        }
    }
}
