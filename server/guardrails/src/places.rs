//! Where text stands in a client's JSON, whatever its protocol, and how it is changed there without touching the rest.
//!
//! Every string is text that a model may read, but for those under names that say otherwise: ids, words of the
//! protocol, data in base64. What a tool was called with, and what it answered, is text under any name, and so are the
//! names and the numbers in it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use llm::json::{Edit, JsonError, Kind, Scanner, Span, quote, splice};

/// A text of a request.
#[derive(Debug)]
pub struct Place<'a> {
    /// The string or the name in the body, quotes included, or the number.
    pub span: Span,
    pub text: Cow<'a, str>,
    /// JSON in a string.
    pub nested: bool,
    /// The number of the user's message that it is said in.
    pub user: Option<usize>,
    /// It is said in a part of a message.
    pub part: bool,
}

/// What is said in a body.
#[derive(Debug, Default)]
pub struct Texts<'a> {
    /// In the order in which they stand.
    pub places: Vec<Place<'a>>,
    /// The number of the user's latest message, which may be empty.
    pub latest: Option<usize>,
    /// The messages that say something in more than one part: all of their places.
    pub several: Vec<Range<usize>>,
    /// There are numbers where messages stand: ids of tokens.
    pub tokens: bool,
}

/// Names under which strings are not read as text, in any protocol.
const NOT_TEXT: &[&str] = &[
    "$ref",
    "$schema",
    "background",
    "cache_control",
    "call_id",
    "data",
    "detail",
    "effort",
    "encoding_format",
    "encrypted_content",
    "fileUri",
    "file_data",
    "file_id",
    "file_uri",
    "finish_reason",
    "format",
    "id",
    "image_url",
    "include",
    "item_id",
    "media_type",
    "mimeType",
    "mime_type",
    "modalities",
    "mode",
    "model",
    "object",
    "output_format",
    "previous_response_id",
    "prompt_cache_key",
    "quality",
    "required",
    "responseMimeType",
    "responseModalities",
    "response_format_name",
    "role",
    "safety_identifier",
    "service_tier",
    "signature",
    "size",
    "status",
    "stop_reason",
    "style",
    "thoughtSignature",
    "thought_signature",
    "tool_call_id",
    "tool_choice",
    "tool_use_id",
    "truncation",
    "ttl",
    "type",
    "uri",
    "url",
    "user",
    "user_id",
    "verbosity",
    "voice",
];

/// Names of lists of messages.
const MESSAGES: &[&str] = &["contents", "input", "messages", "prompt"];

/// What JSON is, to a reader of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A protocol whose names tell what is text.
    Known,
    /// A protocol that nobody knows: all is text but the names at the top and the numbers that stand there.
    Unknown,
    /// What a tool is called with, or answers: all is text.
    Tool,
}

/// Names of what the model is told before all messages: one message, or what one says.
const SYSTEM: &[&str] = &["system", "systemInstruction", "system_instruction"];

/// The texts of a body.
///
/// # Errors
/// It is not JSON.
pub fn texts(body: &[u8], of: Of) -> Result<Texts<'_>, JsonError> {
    let mut reader = Reader {
        scanner: Scanner::from_utf8(body)?,
        texts: Texts::default(),
        messages: 0,
        says: false,
        parts: 0,
    };
    let at = match of {
        Of::Known | Of::Unknown => At::Top,
        Of::Tool => At::Elsewhere,
    };
    reader.value("", at, of != Of::Known)?;
    reader.scanner.end()?;
    Ok(reader.texts)
}

/// What else stands in some places, by where they begin.
pub type Changes = BTreeMap<usize, (Span, String)>;

/// The body with other texts in some places, and other edits made.
pub fn changed(body: &Bytes, changes: Changes, mut edits: Vec<Edit>) -> Bytes {
    edits.extend(changes.into_values().map(|(span, text)| Edit {
        span,
        with: quote(&text),
    }));
    splice(body, edits).concat()
}

/// Where a value stands, as far as it matters to what is said by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Top,
    /// The list of messages, or what stands for it.
    Messages,
    Message,
    Content,
    Part,
    /// What a message says.
    Said,
    /// What a stored prompt is filled in with, under names that the client has made up.
    Variables,
    Elsewhere,
}

struct Reader<'a> {
    scanner: Scanner<'a>,
    texts: Texts<'a>,
    /// How many messages there were.
    messages: usize,
    /// There is something that this message says, if only an empty string.
    says: bool,
    /// In how many parts.
    parts: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, name: &str, at: At, free: bool) -> Result<(), JsonError> {
        match self.scanner.peek()? {
            Kind::String => self.string(name, at, free),
            Kind::Object => self.object(name, at, free),
            Kind::Array => {
                let mut items = self.scanner.enter_array()?;
                while self.scanner.next_item(&mut items)? {
                    if at == At::Messages {
                        self.message(name, free)?;
                    } else {
                        let inside = if at == At::Content { At::Part } else { at };
                        self.value(name, inside, free)?;
                    }
                }
                Ok(())
            }
            Kind::Number => {
                self.texts.tokens |= at == At::Messages;
                let span = self.scanner.skip_value()?;
                if free && at != At::Top {
                    let text = Cow::Borrowed(&self.scanner.text()[span.clone()]);
                    self.written(span, text);
                }
                Ok(())
            }
            Kind::Bool | Kind::Null => self.scanner.skip_value().map(drop),
        }
    }

    fn string(&mut self, name: &str, at: At, free: bool) -> Result<(), JsonError> {
        let string = self.scanner.string()?;
        if !free && NOT_TEXT.binary_search(&name).is_ok() {
            return Ok(());
        }
        let user = match at {
            // A conversation that is one text, and a message that is nothing but its text.
            At::Messages => {
                self.texts.latest = Some(self.messages);
                self.messages += 1;
                self.texts.latest
            }
            At::Content | At::Part | At::Said => {
                self.says = true;
                Some(self.messages)
            }
            _ => None,
        };
        if string.is_empty() {
            return Ok(());
        }
        let text = string.decode();
        let part = matches!(at, At::Part | At::Said);
        self.parts += usize::from(part);
        self.texts.places.push(Place {
            span: string.span(),
            nested: name == "arguments" && text.trim_start().starts_with('{'),
            text,
            user,
            part,
        });
        Ok(())
    }

    /// A name or a number.
    fn written(&mut self, span: Span, text: Cow<'a, str>) {
        self.texts.places.push(Place {
            span,
            text,
            nested: false,
            user: None,
            part: false,
        });
    }

    /// An item of a list of messages: what of it is said by a user is known at its end.
    fn message(&mut self, name: &str, free: bool) -> Result<(), JsonError> {
        if self.scanner.peek()? != Kind::Object {
            return self.value(name, At::Messages, free);
        }
        let first = self.begin();
        let role = self.members(At::Message, free)?;
        let by_user = match role.as_deref() {
            Some(role) => role == "user",
            // Gemini's users need not say who they are.
            None => name == "contents",
        };
        if by_user {
            if self.says {
                self.texts.latest = Some(self.messages);
            }
            self.messages += 1;
        }
        self.end(first, by_user);
        Ok(())
    }

    /// What the model is told before all messages.
    fn system(&mut self, name: &str, free: bool) -> Result<(), JsonError> {
        let first = self.begin();
        match self.scanner.peek()? {
            Kind::Object => self.members(At::Message, free).map(drop)?,
            _ => self.value(name, At::Content, free)?,
        }
        self.end(first, false);
        Ok(())
    }

    /// A message begins; where its places do.
    fn begin(&mut self) -> usize {
        self.says = false;
        self.parts = 0;
        self.texts.places.len()
    }

    fn end(&mut self, first: usize, by_user: bool) {
        let end = self.texts.places.len();
        if self.parts > 1 {
            self.texts.several.push(first..end);
        }
        if !by_user {
            self.texts.places[first..]
                .iter_mut()
                .for_each(|place| place.user = None);
        }
    }

    fn object(&mut self, name: &str, at: At, free: bool) -> Result<(), JsonError> {
        let inside = match at {
            At::Top => At::Top,
            At::Content => At::Part,
            At::Part => At::Part,
            At::Variables => At::Variables,
            // One message that stands for the list.
            At::Messages => return self.message(name, free),
            _ => At::Elsewhere,
        };
        self.members(inside, free).map(drop)
    }

    /// The members of an object, and what it says of `role`.
    fn members(&mut self, at: At, free: bool) -> Result<Option<String>, JsonError> {
        let mut members = self.scanner.enter_object()?;
        let mut role = None;
        // A document that is plain text has it under the name that others have base64 under.
        let mut plain = false;
        let mut data = Vec::new();
        while let Some(key) = self.scanner.next_member(&mut members)? {
            let written = key.span();
            let key = key.decode();
            if free && at != At::Top && !key.is_empty() {
                self.written(written, key.clone());
            }
            let kind = self.scanner.peek()?;
            let told = !free && at != At::Variables;
            if kind == Kind::String && matches!(&*key, "role" | "type" | "data") && told {
                let string = self.scanner.string()?;
                match &*key {
                    "role" => role = Some(string.decode().into_owned()),
                    "type" => plain = string.is("text"),
                    _ => data.push(string),
                }
                continue;
            }
            // What tools are called with, and what they answer.
            let free = free
                || matches!(&*key, "args" | "response")
                || &*key == "input" && kind == Kind::Object && at != At::Top
                // Images have names of the protocol's.
                || at == At::Variables && kind == Kind::String;
            let inside = match (at, &*key) {
                (At::Top, key) if MESSAGES.contains(&key) => At::Messages,
                (At::Message, "content" | "parts") => At::Content,
                (At::Message | At::Part, "text") => At::Said,
                (At::Message, "variables") => At::Variables,
                (At::Variables, _) => At::Elsewhere,
                (At::Top, _) if kind == Kind::Number => At::Top,
                _ => At::Elsewhere,
            };
            if !free && at == At::Top && &*key == "metadata" {
                self.scanner.skip_value()?;
                continue;
            }
            if at == At::Top && SYSTEM.contains(&&*key) {
                self.system(&key, free)?;
                continue;
            }
            self.value(&key, inside, free)?;
        }
        if plain {
            self.texts.places.extend(data.iter().map(|string| Place {
                span: string.span(),
                text: string.decode(),
                nested: false,
                user: None,
                part: false,
            }));
        }
        Ok(role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<(String, Option<usize>)> {
        let places = texts(body.as_bytes(), Of::Known).unwrap().places;
        places
            .iter()
            .map(|place| (place.text.to_string(), place.user))
            .collect()
    }

    fn said(text: &str, user: impl Into<Option<usize>>) -> (String, Option<usize>) {
        (text.to_owned(), user.into())
    }

    #[test]
    fn names_are_in_order() {
        assert!(NOT_TEXT.is_sorted());
    }

    #[test]
    fn chat_completions() {
        let body = r#"{"model":"m","messages":[{"role":"system","content":"s"},{"content":"a\u0062","role":"user"},
            {"role":"assistant","tool_calls":[{"id":"i","type":"function","function":{"name":"n","arguments":"{\"id\":\"x\"}"}}]},
            {"role":"tool","tool_call_id":"i","content":"t"},
            {"role":"user","content":[{"type":"text","text":"b"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}],
            "metadata":{"a":"b"},"user":"u"}"#;
        let expected = [
            said("s", None),
            said("ab", 0),
            said("n", None),
            said("{\"id\":\"x\"}", None),
            said("t", None),
            said("b", 1),
        ];
        assert_eq!(read(body), expected);
    }

    #[test]
    fn messages() {
        let body = r#"{"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[
            {"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}},{"type":"text","text":"a"}]},
            {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"AAAA"},{"type":"tool_use","id":"i","name":"n","input":{"id":"x","url":"y"}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"i","content":[{"type":"text","text":"r"}]}]}]}"#;
        let expected = [
            said("s", None),
            said("d", None),
            said("a", 0),
            said("t", None),
            said("n", None),
            said("id", None),
            said("x", None),
            said("url", None),
            said("y", None),
            said("r", None),
        ];
        assert_eq!(read(body), expected);
    }

    #[test]
    fn contents() {
        let body = r#"{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]},
            {"role":"model","parts":[{"functionCall":{"name":"n","args":{"id":"x"}}}]},
            {"role":"user","parts":[{"functionResponse":{"name":"n","response":{"type":"y"}}},{"text":"b"}]}]}"#;
        let expected = [
            said("s", None),
            said("a", 0),
            said("n", None),
            said("id", None),
            said("x", None),
            said("n", None),
            said("type", None),
            said("y", None),
            said("b", 1),
        ];
        assert_eq!(read(body), expected);
    }

    #[test]
    fn responses_and_completions() {
        assert_eq!(
            read(r#"{"input":"a","instructions":"i"}"#),
            [said("a", 0), said("i", None)]
        );
        let body = r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},
            {"type":"function_call_output","call_id":"c","output":"o"}]}"#;
        assert_eq!(read(body), [said("a", 0), said("o", None)]);
        assert_eq!(
            read(r#"{"prompt":["a","b"]}"#),
            [said("a", 0), said("b", 1)]
        );
    }

    #[test]
    fn all_else_stays_as_it_was() {
        let body = Bytes::from_static(b"{ \"x\" : [1.0, {\"y\":\"\\u0061\"}] , \"z\":\"b\\n\"}");
        let places = texts(&body, Of::Known).unwrap().places;
        let first = (places[0].span.clone(), "\"ä".to_owned());
        assert_eq!(
            changed(&body, Changes::from([(first.0.start, first)]), Vec::new()),
            Bytes::from("{ \"x\" : [1.0, {\"y\":\"\\\"ä\"}] , \"z\":\"b\\n\"}")
        );
    }
}
