//! A document as a tree that shares the document's bytes.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::scan::is_nothing;
use super::{JsonError, JsonStr, Kind, Scanner, Span};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::text::Text;

/// A value of a document. Strings are slices of it; only escaped ones are copied, when they are read.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    document: &'a Bytes,
    span: Span,
    data: Data<'a>,
}

#[derive(Clone, Debug)]
enum Data<'a> {
    Null,
    Bool(bool),
    Number,
    String(JsonStr<'a>),
    Array(Vec<Node<'a>>),
    Object(Vec<(JsonStr<'a>, Node<'a>)>),
}

/// A valid JSON value that is passed on as it was written.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, Hash)]
#[serde(transparent)]
pub struct Json(Text);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(Text::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Json {
    /// Takes what the caller knows to be JSON.
    pub fn of_valid(text: Text) -> Self {
        Self(text)
    }

    /// Checks that the text is one JSON value.
    ///
    /// # Errors
    /// Where it is not.
    pub fn parse(text: Text) -> Result<Self, JsonError> {
        let mut scanner = Scanner::new(&text);
        scanner.skip_value()?;
        scanner.end()?;
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn as_text(&self) -> &Text {
        &self.0
    }
}

/// A document that is not what its protocol says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeError {
    document: Bytes,
    /// Where the value begins.
    at: usize,
    /// The member of it that is meant.
    member: Option<String>,
    pub problem: Problem,
}

/// What is wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It has to be there.
    Missing,
    /// It is of another type, or another value: what it has to be, and what it is.
    Not(Cow<'static, str>, String),
}

impl<'a> Node<'a> {
    /// Reads a whole document.
    ///
    /// # Errors
    /// Not UTF-8, or not JSON.
    pub fn parse(document: &'a Bytes) -> Result<Self, JsonError> {
        let mut scanner = Scanner::from_utf8(document)?;
        let root = Self::read(document, &mut scanner)?;
        scanner.end()?;
        Ok(root)
    }

    fn read(document: &'a Bytes, scanner: &mut Scanner<'a>) -> Result<Self, JsonError> {
        let kind = scanner.peek()?;
        let start = scanner.position();
        let data = match kind {
            Kind::Object => {
                let mut found = Vec::new();
                let mut members = scanner.enter_object()?;
                while let Some(key) = scanner.next_member(&mut members)? {
                    found.push((key, Self::read(document, scanner)?));
                }
                Data::Object(found)
            }
            Kind::Array => {
                let mut found = Vec::new();
                let mut items = scanner.enter_array()?;
                while scanner.next_item(&mut items)? {
                    found.push(Self::read(document, scanner)?);
                }
                Data::Array(found)
            }
            Kind::String => Data::String(scanner.string()?),
            Kind::Number => {
                scanner.skip_value()?;
                Data::Number
            }
            Kind::Bool => {
                let span = scanner.skip_value()?;
                Data::Bool(document[span.start] == b't')
            }
            Kind::Null => {
                scanner.skip_value()?;
                Data::Null
            }
        };
        Ok(Self {
            document,
            span: start..scanner.position(),
            data,
        })
    }

    pub fn kind(&self) -> Kind {
        match &self.data {
            Data::Null => Kind::Null,
            Data::Bool(_) => Kind::Bool,
            Data::Number => Kind::Number,
            Data::String(_) => Kind::String,
            Data::Array(_) => Kind::Array,
            Data::Object(_) => Kind::Object,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// Where it stands in the document.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// The value as it was written.
    pub fn json(&self) -> Json {
        Json(Text::slice_of(self.document, self.span.clone()))
    }

    /// An object's members in the order written; none of anything else.
    pub fn members(&self) -> impl Iterator<Item = (Cow<'a, str>, &Node<'a>)> {
        let members: &[(JsonStr<'a>, Node<'a>)] = match &self.data {
            Data::Object(members) => members,
            _ => &[],
        };
        members.iter().map(|(key, value)| (key.decode(), value))
    }

    /// A member that is there and not null; the last one where a key comes twice.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        let Data::Object(members) = &self.data else {
            return None;
        };
        let found = members.iter().rev().find(|(name, _)| name.is(key))?;
        Some(&found.1).filter(|value| !value.is_null())
    }

    /// Whether an object has a member beside these that [says something](Scanner::skip_saying).
    pub fn has_beside(&self, known: &[&str]) -> bool {
        self.members()
            .any(|(key, value)| !known.contains(&&*key) && !is_nothing(value.written()))
    }

    /// A member that has to be there.
    ///
    /// # Errors
    /// It is missing or null.
    pub fn require(&self, key: &str) -> Result<&Node<'a>, ShapeError> {
        self.get(key).ok_or_else(|| ShapeError {
            document: self.document.clone(),
            at: self.span.start,
            member: Some(key.to_owned()),
            problem: Problem::Missing,
        })
    }

    /// # Errors
    /// It is no object.
    pub fn object(&self) -> Result<&Self, ShapeError> {
        match &self.data {
            Data::Object(_) => Ok(self),
            _ => Err(self.not("an object")),
        }
    }

    /// An array's items.
    ///
    /// # Errors
    /// It is no array.
    pub fn array(&self) -> Result<&[Node<'a>], ShapeError> {
        match &self.data {
            Data::Array(items) => Ok(items),
            _ => Err(self.not("an array")),
        }
    }

    /// # Errors
    /// It is no string.
    pub fn text(&self) -> Result<Text, ShapeError> {
        match &self.data {
            Data::String(string) => Ok(string.text(self.document)),
            _ => Err(self.not("a string")),
        }
    }

    /// The text, for matching and formatting.
    ///
    /// # Errors
    /// It is no string.
    pub fn str(&self) -> Result<Cow<'a, str>, ShapeError> {
        match &self.data {
            Data::String(string) => Ok(string.decode()),
            _ => Err(self.not("a string")),
        }
    }

    /// # Errors
    /// It is no boolean.
    pub fn bool(&self) -> Result<bool, ShapeError> {
        match self.data {
            Data::Bool(value) => Ok(value),
            _ => Err(self.not("a boolean")),
        }
    }

    /// A number as it was written.
    ///
    /// # Errors
    /// It is no number.
    pub fn number(&self) -> Result<Json, ShapeError> {
        match self.data {
            Data::Number => Ok(self.json()),
            _ => Err(self.not("a number")),
        }
    }

    /// A whole number from 0; `3.0` counts as one.
    ///
    /// # Errors
    /// It is anything else.
    pub fn u64(&self) -> Result<u64, ShapeError> {
        let found = self.i64()?;
        u64::try_from(found).map_err(|_| self.not("a whole number of at least 0"))
    }

    /// A whole number; `3.0` counts as one.
    ///
    /// # Errors
    /// It is anything else.
    pub fn i64(&self) -> Result<i64, ShapeError> {
        let written = self.written();
        if !matches!(self.data, Data::Number) {
            return Err(self.not("a whole number"));
        }
        if let Ok(whole) = written.parse() {
            return Ok(whole);
        }
        match written.parse::<f64>() {
            // Beyond 2^53 a floating point number no longer says which whole number is meant.
            #[allow(clippy::cast_possible_truncation, reason = "it is whole and in range")]
            Ok(number) if number.fract() == 0.0 && number.abs() <= 9e15 => Ok(number as i64),
            _ => Err(self.not("a whole number")),
        }
    }

    /// # Errors
    /// It is no number.
    pub fn f64(&self) -> Result<f64, ShapeError> {
        let number = matches!(self.data, Data::Number).then(|| self.written().parse().ok());
        number.flatten().ok_or_else(|| self.not("a number"))
    }

    /// The error that this value is not `wanted`: `"an object"`, `"'auto' or 'none'"`.
    pub fn not(&self, wanted: impl Into<Cow<'static, str>>) -> ShapeError {
        let found = match &self.data {
            Data::String(string) => {
                let text = string.decode();
                format!("'{}'", &text[..text.floor_char_boundary(64)])
            }
            Data::Number | Data::Bool(_) => {
                let written = self.written();
                written[..written.floor_char_boundary(64)].to_owned()
            }
            _ => self.kind().name().to_owned(),
        };
        ShapeError {
            document: self.document.clone(),
            at: self.span.start,
            member: None,
            problem: Problem::Not(wanted.into(), found),
        }
    }

    /// Where the value stands in the document, as `messages[0].content`. Reads the document once more: for errors.
    pub fn path(&self) -> String {
        path_to(self.document, self.span.start)
    }

    fn walk_to(&self, at: usize, path: &mut String) {
        match &self.data {
            Data::Object(members) => {
                if let Some((key, value)) = members.iter().find(|(_, v)| v.holds(at)) {
                    *path = join(path, &key.decode());
                    value.walk_to(at, path);
                }
            }
            Data::Array(items) => {
                if let Some(index) = items.iter().position(|item| item.holds(at)) {
                    path.push_str(&format!("[{index}]"));
                    items[index].walk_to(at, path);
                }
            }
            _ => {}
        }
    }

    fn holds(&self, at: usize) -> bool {
        self.span.contains(&at)
    }

    fn written(&self) -> &'a str {
        std::str::from_utf8(&self.document[self.span.clone()]).unwrap_or_default()
    }
}

fn path_to(document: &Bytes, at: usize) -> String {
    let mut path = String::new();
    if let Ok(root) = Node::parse(document) {
        root.walk_to(at, &mut path);
    }
    path
}

fn join(path: &str, key: &str) -> String {
    let key = &key[..key.floor_char_boundary(64)];
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path();
        match (&self.problem, path.is_empty()) {
            (Problem::Missing, _) => write!(f, "The parameter '{path}' is missing."),
            (Problem::Not(wanted, found), true) => {
                write!(f, "The body must be {wanted}, not {found}.")
            }
            (Problem::Not(wanted, found), false) => {
                write!(f, "The parameter '{path}' must be {wanted}, not {found}.")
            }
        }
    }
}

impl std::error::Error for ShapeError {}

impl ShapeError {
    /// Where: `messages[0].content`; empty for the document itself. Reads the document once more: whoever only asks
    /// whether a value is of a type need not pay for it.
    pub fn path(&self) -> String {
        let path = path_to(&self.document, self.at);
        match &self.member {
            Some(member) => join(&path, member),
            None => path,
        }
    }

    /// As the fault of an upstream: its reply is not what its protocol says.
    pub fn bad_reply(&self) -> ApiError {
        let path = self.path();
        let path = if path.is_empty() { "the reply" } else { &path };
        let message = match &self.problem {
            Problem::Missing => {
                format!("the upstream's reply is not what it should be: {path} is missing")
            }
            Problem::Not(wanted, found) => format!(
                "the upstream's reply is not what it should be: {path} must be {wanted}, not {found}"
            ),
        };
        ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
    }
}

/// As the fault of a client.
impl From<ShapeError> for ApiError {
    fn from(error: ShapeError) -> Self {
        let code = match error.problem {
            Problem::Missing => "missing_required_parameter",
            Problem::Not(..) => "invalid_type",
        };
        let message = error.to_string();
        let invalid = ApiError::invalid(message).with_code(code);
        match error.path() {
            path if path.is_empty() => invalid,
            path => invalid.with_param(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"model":"m","n":2.0,"messages":[{"role":"user","content":[{"text":"a\nb","x":null}]},7]}"#;

    #[test]
    fn to_ask_for_what_it_is_not_takes_no_time() {
        let body = Bytes::from(format!("[{}0]", "0,".repeat(100_000)));
        let root = Node::parse(&body).unwrap();
        let items = root.array().unwrap();
        let started = std::time::Instant::now();
        assert!(items.iter().all(|item| item.str().is_err()));
        assert!(started.elapsed().as_secs() < 10);
    }

    #[test]
    fn values_are_read() {
        let body = Bytes::from_static(BODY);
        let root = Node::parse(&body).unwrap();
        assert_eq!(root.require("model").unwrap().text().unwrap(), "m");
        assert_eq!(root.require("n").unwrap().u64().unwrap(), 2);
        let messages = root.get("messages").unwrap().array().unwrap();
        let part = &messages[0].get("content").unwrap().array().unwrap()[0];
        assert_eq!(part.get("text").unwrap().text().unwrap(), "a\nb");
        assert!(part.get("x").is_none());
        assert_eq!(part.json().as_str(), r#"{"text":"a\nb","x":null}"#);
    }

    #[test]
    fn errors_name_the_place() {
        let body = Bytes::from_static(BODY);
        let root = Node::parse(&body).unwrap();
        let messages = root.get("messages").unwrap().array().unwrap();
        let error = ApiError::from(messages[1].object().unwrap_err());
        assert_eq!(error.param.as_deref(), Some("messages[1]"));
        assert_eq!(
            error.message,
            "The parameter 'messages[1]' must be an object, not 7."
        );
        let part = &messages[0].get("content").unwrap().array().unwrap()[0];
        let error = ApiError::from(part.require("x").unwrap_err());
        assert_eq!(error.param.as_deref(), Some("messages[0].content[0].x"));
    }
}
