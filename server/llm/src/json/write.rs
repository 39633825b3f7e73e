//! Writing JSON piece by piece, straight into its bytes.

use std::fmt::Display;
use std::io::Write as _;

use bytes::{Bytes, BytesMut};

use super::Json;

/// Appends to a document.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

/// An object under construction: each call is a member.
#[derive(Debug)]
pub struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

/// An array under construction: each call is an item.
#[derive(Debug)]
pub struct ArrayWriter<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

/// An object as a document.
pub fn object(write: impl FnOnce(&mut ObjectWriter<'_>)) -> Bytes {
    let mut out = Vec::with_capacity(512);
    Writer { out: &mut out }.object(write);
    Bytes::from(out)
}

/// Appends an object to a stream's buffer.
pub fn append_object(out: &mut BytesMut, write: impl FnOnce(&mut ObjectWriter<'_>)) {
    let mut document = Vec::with_capacity(256);
    Writer { out: &mut document }.object(write);
    out.extend_from_slice(&document);
}

/// A string written as JSON says.
fn string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string can be written as JSON");
}

impl<'a> Writer<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }
}

impl Writer<'_> {
    pub fn object(self, write: impl FnOnce(&mut ObjectWriter<'_>)) {
        self.out.push(b'{');
        write(&mut ObjectWriter {
            out: self.out,
            first: true,
        });
        self.out.push(b'}');
    }

    pub fn array(self, write: impl FnOnce(&mut ArrayWriter<'_>)) {
        self.out.push(b'[');
        write(&mut ArrayWriter {
            out: self.out,
            first: true,
        });
        self.out.push(b']');
    }

    pub fn string(self, text: &str) {
        string(self.out, text);
    }

    /// Pieces of one string, in a row.
    pub fn strings<'t>(self, pieces: impl IntoIterator<Item = &'t str>) {
        self.out.push(b'"');
        for piece in pieces {
            let start = self.out.len();
            string(self.out, piece);
            // Without its own quotes.
            self.out.pop();
            self.out.remove(start);
        }
        self.out.push(b'"');
    }

    /// A value that is JSON already.
    pub fn json(self, json: &Json) {
        self.out.extend_from_slice(json.as_str().as_bytes());
    }

    /// A whole number or `true`, `false`, `null`: whatever displays as JSON.
    pub fn plain(self, value: impl Display) {
        write!(self.out, "{value}").expect("memory takes everything");
    }

    /// A number; one that JSON cannot say becomes null.
    pub fn float(self, value: f64) {
        serde_json::to_writer(self.out, &value).expect("a number can be written as JSON");
    }
}

impl ObjectWriter<'_> {
    /// A member of any kind: `object.member("a").array(|items| …)`.
    pub fn member(&mut self, key: &str) -> Writer<'_> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        string(self.out, key);
        self.out.push(b':');
        Writer { out: self.out }
    }

    pub fn string(&mut self, key: &str, text: &str) {
        self.member(key).string(text);
    }

    pub fn json(&mut self, key: &str, json: &Json) {
        self.member(key).json(json);
    }

    /// Whatever displays as JSON: a whole number, a boolean.
    pub fn plain(&mut self, key: &str, value: impl Display) {
        self.member(key).plain(value);
    }

    pub fn float(&mut self, key: &str, value: f64) {
        self.member(key).float(value);
    }

    pub fn null(&mut self, key: &str) {
        self.member(key).plain("null");
    }

    pub fn object(&mut self, key: &str, write: impl FnOnce(&mut ObjectWriter<'_>)) {
        self.member(key).object(write);
    }

    pub fn array(&mut self, key: &str, write: impl FnOnce(&mut ArrayWriter<'_>)) {
        self.member(key).array(write);
    }

    pub fn is_empty(&self) -> bool {
        self.first
    }
}

impl ArrayWriter<'_> {
    /// An item of any kind.
    pub fn item(&mut self) -> Writer<'_> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        Writer { out: self.out }
    }

    pub fn object(&mut self, write: impl FnOnce(&mut ObjectWriter<'_>)) {
        self.item().object(write);
    }

    pub fn string(&mut self, text: &str) {
        self.item().string(text);
    }

    pub fn json(&mut self, json: &Json) {
        self.item().json(json);
    }

    pub fn is_empty(&self) -> bool {
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let written = object(|body| {
            body.string("a", "x\"y");
            body.plain("n", 3);
            body.null("z");
            body.array("list", |list| {
                list.string("one");
                list.object(|_| {});
                list.item().array(|_| {});
                list.item().strings(["a\n", "", "b"]);
            });
            body.object("o", |inner| inner.float("f", 0.5));
        });
        assert_eq!(
            std::str::from_utf8(&written).unwrap(),
            r#"{"a":"x\"y","n":3,"z":null,"list":["one",{},[],"a\nb"],"o":{"f":0.5}}"#
        );
    }
}
