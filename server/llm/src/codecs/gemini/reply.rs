//! A `GenerateContentResponse`, whole or a chunk of a stream: the same shape.

use bytes::Bytes;

use super::candidate::{Candidate, Reader};
use super::errors;
use crate::chat::{ChatRequest, Stamp, StreamEvent, Usage};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{JsonError, JsonStr, Kind, Node, Scanner, ShapeError, Span};
use crate::text::Text;
use crate::wire::gemini::{ErrorBody, read_error, read_finish, read_usage};

/// What was said so far.
#[derive(Debug)]
pub(super) struct Reply {
    stamp: Stamp,
    started: bool,
    candidates: Vec<Candidate>,
    /// How many functions were called: calls are numbered across candidates.
    calls: u32,
    usage: Option<Usage>,
    /// The prompt was refused: there will be no candidates.
    blocked: bool,
}

/// What is wrong with a body.
#[derive(Debug)]
pub(super) enum Fault {
    Json(JsonError),
    Shape(ShapeError),
    /// It is an error of the upstream's.
    Reported(ErrorBody),
}

impl Reply {
    pub fn new(request: &ChatRequest) -> Self {
        Self {
            stamp: request.stamp,
            started: false,
            candidates: Vec::new(),
            calls: 0,
            usage: None,
            blocked: false,
        }
    }

    /// Reads a whole reply; where in it the model's name stands.
    pub fn read_whole(
        &mut self,
        body: &Bytes,
        out: &mut Vec<StreamEvent>,
    ) -> Result<Option<Span>, ApiError> {
        let model = self.read(body, out)?;
        if self.candidates.is_empty() {
            return Err(bad_reply("the upstream's reply has no candidates"));
        }
        self.finish(out);
        Ok(model)
    }

    /// Reads a reply or a chunk of one, or an array of chunks, and appends its events. Where the model's name
    /// stands, if it is there once.
    pub fn read(
        &mut self,
        body: &Bytes,
        out: &mut Vec<StreamEvent>,
    ) -> Result<Option<Span>, ApiError> {
        self.scan(body, out).map_err(ApiError::from)
    }

    /// Whether all has been said that was asked for.
    pub fn is_whole(&self, choices: u32) -> bool {
        let there = u32::try_from(self.candidates.len()).unwrap_or(u32::MAX);
        let ended = |candidate: &Candidate| candidate.reason.is_some();
        self.blocked || there >= choices.max(1) && self.candidates.iter().all(ended)
    }

    /// Nothing more will come: says how each candidate ended.
    pub fn finish(&mut self, out: &mut Vec<StreamEvent>) {
        for candidate in &self.candidates {
            let reason = candidate.reason.as_ref();
            let reason = reason.and_then(|word| read_finish(word, candidate.calls));
            out.extend(reason.map(|reason| StreamEvent::Finished {
                choice: candidate.index,
                reason,
            }));
        }
    }

    pub fn has_begun(&self) -> bool {
        self.started
    }

    fn scan(&mut self, body: &Bytes, out: &mut Vec<StreamEvent>) -> Result<Option<Span>, Fault> {
        let mut scanner = Scanner::from_utf8(body)?;
        let mut model = None;
        if scanner.peek()? == Kind::Array {
            let mut items = scanner.enter_array()?;
            while scanner.next_item(&mut items)? {
                self.chunk(body, &mut scanner, out)?;
            }
        } else {
            model = self.chunk(body, &mut scanner, out)?;
        }
        scanner.end()?;
        Ok(model)
    }

    fn chunk(
        &mut self,
        body: &Bytes,
        scanner: &mut Scanner<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<Option<Span>, Fault> {
        scanner.peek()?;
        let (from, first) = (scanner.position(), out.len());
        let (mut id, mut model) = (Text::default(), None);
        let (mut usage, mut refused, mut failed) = (None, false, false);
        let mut untold = false;
        let mut members = scanner.enter_object()?;
        while let Some(key) = scanner.next_member(&mut members)? {
            if scanner.peek()? == Kind::Null {
                scanner.skip_value()?;
                continue;
            }
            match key.plain() {
                Some("candidates") => {
                    let mut items = scanner.enter_array()?;
                    while scanner.next_item(&mut items)? {
                        self.candidate(body, scanner, out)?;
                    }
                }
                Some("usageMetadata") => usage = Some(read_usage(scanner)?),
                Some("modelVersion") => model = Some(scanner.string()?),
                Some("responseId") => id = scanner.string()?.text(body),
                Some("promptFeedback") => {
                    let feedback = body.slice(scanner.skip_value()?);
                    refused = Node::parse(&feedback)?.get("blockReason").is_some();
                }
                Some("error") => {
                    scanner.skip_value()?;
                    failed = true;
                }
                Some("createTime" | "modelStatus") => {
                    scanner.skip_value()?;
                }
                _ => untold |= scanner.skip_saying()?,
            }
        }
        if failed {
            let chunk = body.slice(from..scanner.position());
            let error = read_error(&Node::parse(&chunk)?);
            return Err(Fault::Reported(error.unwrap_or_default()));
        }
        if !std::mem::replace(&mut self.started, true) {
            let model = model.as_ref().map(|name: &JsonStr<'_>| name.text(body));
            let started = StreamEvent::Started {
                id,
                model: model.unwrap_or_default(),
                created: None,
            };
            out.insert(first, started);
        }
        out.extend(untold.then_some(StreamEvent::Untold));
        if refused && self.candidates.is_empty() {
            self.blocked = true;
            let mut candidate = Candidate::new(0);
            candidate.reason = Some(Text::from_static("SAFETY"));
            self.candidates.push(candidate);
        }
        if let Some(usage) = usage
            && self.usage.replace(usage) != Some(usage)
        {
            out.push(StreamEvent::Usage(usage));
        }
        Ok(model.map(|name| name.span()))
    }

    fn candidate(
        &mut self,
        body: &Bytes,
        scanner: &mut Scanner<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), Fault> {
        scanner.peek()?;
        let from = scanner.position();
        // The number of the candidate may come after its content: the content is gone back to.
        let (mut index, mut content, mut word, mut beside) = (0, None, None, false);
        let mut untold = false;
        let mut members = scanner.enter_object()?;
        while let Some(key) = scanner.next_member(&mut members)? {
            let kind = scanner.peek()?;
            match key.plain() {
                Some("finishReason") if kind == Kind::String => {
                    word = Some(scanner.string()?.text(body));
                    continue;
                }
                Some("content") if kind == Kind::Object => content = Some(scanner.clone()),
                Some(
                    "groundingMetadata" | "urlContextMetadata" | "citationMetadata"
                    | "logprobsResult",
                ) => beside = true,
                Some(
                    "finishReason" | "content" | "index" | "safetyRatings" | "tokenCount"
                    | "avgLogprobs" | "finishMessage",
                ) => {}
                _ => {
                    untold |= scanner.skip_saying()?;
                    continue;
                }
            }
            let span = scanner.skip_value()?;
            if key.is("index") && kind != Kind::Null {
                let number = body.slice(span);
                let number = Node::parse(&number)?.u64()?;
                index = u32::try_from(number).unwrap_or(u32::MAX);
            }
        }
        let known = self.candidates.iter().position(|one| one.index == index);
        let at = known.unwrap_or_else(|| {
            self.candidates.push(Candidate::new(index));
            self.candidates.len() - 1
        });
        let mut reader = Reader {
            body,
            stamp: self.stamp,
            calls: &mut self.calls,
            candidate: &mut self.candidates[at],
            out,
        };
        if let Some(mut content) = content {
            reader.content(&mut content)?;
        }
        if beside {
            let candidate = body.slice(from..scanner.position());
            reader.beside(&Node::parse(&candidate)?)?;
        }
        out.extend(untold.then_some(StreamEvent::Untold));
        // A word of no meaning does not end it.
        if let Some(word) = word
            && read_finish(&word, false).is_some()
        {
            self.candidates[at].reason = Some(word);
        }
        Ok(())
    }
}

impl From<JsonError> for Fault {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl From<ShapeError> for Fault {
    fn from(error: ShapeError) -> Self {
        Self::Shape(error)
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Json(error) => bad_reply(format!(
                "the upstream's reply is not what it should be: {error}"
            )),
            Fault::Shape(error) => error.bad_reply(),
            Fault::Reported(error) => errors::from_body(error),
        }
    }
}

pub(super) fn bad_reply(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
}
