//! JSON as what it says: the same bytes for two documents that differ only in white space, in the order of members or
//! in how a character is escaped.

use std::borrow::Cow;

use super::{JsonError, JsonStr, Kind, Scanner};

/// Appends the canonical form of a value to a buffer. No two values that say different things have the same form, and
/// no form is the beginning of another. Numbers count as they were written: `1` is not `1.0`.
#[derive(Debug, Default)]
pub struct Canonical {
    /// Members of the objects that are open, and where each ends in the buffer.
    members: Vec<(usize, usize, usize)>,
    scratch: Vec<u8>,
}

impl Canonical {
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
                    string(&key, out);
                    let end = out.len();
                    own.value(scanner, out)?;
                    Ok(Some((start, end)))
                })
            }
            Kind::Array => {
                out.push(b'[');
                let mut items = scanner.enter_array()?;
                while scanner.next_item(&mut items)? {
                    self.value(scanner, out)?;
                }
                out.push(b']');
                Ok(())
            }
            Kind::String => {
                string(&scanner.string()?, out);
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
}

/// Appends a string as [`Canonical`] does.
pub fn string(text: &JsonStr<'_>, out: &mut Vec<u8>) {
    match text.decode() {
        Cow::Borrowed(plain) => sized(b's', plain.as_bytes(), out),
        // Lone surrogates are all read as this one character: only how they were written tells them apart.
        Cow::Owned(read) if read.contains('\u{fffd}') => {
            sized(b'S', text.written().as_bytes(), out);
        }
        Cow::Owned(read) => sized(b's', read.as_bytes(), out),
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
    use super::*;

    fn form(json: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut scanner = Scanner::new(json);
        Canonical::default().value(&mut scanner, &mut out).unwrap();
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
    fn something_else() {
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
