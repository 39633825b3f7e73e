//! `message`, or a piece of one, `delta`.

use super::state::Tool;
use super::{ChoiceState, Reader, Sink};
use crate::chat::{Block, Citation, MediaKind, MediaSource, Protocol, Seal, ToolKind};
use crate::json::{JsonError, JsonStr, Kind, Node, Span};
use crate::text::Text;
use crate::wire::openai_chat::{read_citations, read_url};

/// The parts of a message that are known.
const PARTS: [&str; 4] = ["text", "output_text", "thinking", "reference"];

/// A message's members: an object's members come in any order, what they say is told in one.
#[derive(Default)]
struct Members<'a> {
    reasoning: Option<JsonStr<'a>>,
    details: Option<Span>,
    content: Option<JsonStr<'a>>,
    /// Where the parts stand, where content is an array.
    parts: Option<usize>,
    refusal: Option<JsonStr<'a>>,
    annotations: Option<Span>,
    images: Option<Span>,
    audio: Option<Span>,
    tool_calls: Option<usize>,
    function_call: Option<usize>,
}

impl<'a, S: Sink> Reader<'a, '_, S> {
    pub(super) fn message(&mut self, choice: &mut ChoiceState) -> Result<(), JsonError> {
        if self.scanner.peek()? == Kind::Null {
            self.scanner.skip_value()?;
            return Ok(());
        }
        let found = self.members(choice)?;
        let end = self.scanner.position();
        let reasoning = found.reasoning.map(|string| string.text(self.body));
        match found.details {
            Some(span) => self.details(choice, span, reasoning),
            None => self.think(choice, reasoning),
        }
        if let Some(string) = found.content {
            self.say(choice, Block::Text, string.text(self.body));
        }
        if let Some(start) = found.parts {
            self.scanner.rewind(start);
            self.parts(choice, &Block::Text)?;
        }
        if let Some(string) = found.refusal {
            self.say(choice, Block::Refusal, string.text(self.body));
        }
        if let Some(span) = found.audio {
            self.audio(choice, span);
        }
        if let Some(span) = found.annotations {
            self.annotations(choice, span);
        }
        if let Some(span) = found.images {
            self.images(choice, span);
        }
        if let Some(start) = found.tool_calls {
            self.scanner.rewind(start);
            let mut items = self.scanner.enter_array()?;
            let mut place = 0;
            while self.scanner.next_item(&mut items)? {
                self.tool_call(choice, place)?;
                place += 1;
            }
        }
        if let Some(start) = found.function_call {
            self.scanner.rewind(start);
            self.legacy_call(choice)?;
        }
        self.scanner.rewind(end);
        Ok(())
    }

    fn members(&mut self, choice: &mut ChoiceState) -> Result<Members<'a>, JsonError> {
        let mut found = Members::default();
        let mut members = self.scanner.enter_object()?;
        while let Some(key) = self.scanner.next_member(&mut members)? {
            let kind = self.scanner.peek()?;
            match (key.plain(), kind) {
                (Some("content"), Kind::String) => found.content = Some(self.scanner.string()?),
                (Some("content"), Kind::Array) => {
                    found.parts = Some(self.scanner.skip_value()?.start);
                }
                // Some upstreams say the same thought under both names.
                (Some("reasoning_content" | "reasoning"), Kind::String) => {
                    let string = self.scanner.string()?;
                    let text = |one: &JsonStr<'_>| &self.scanner.text()[one.span()];
                    match &found.reasoning {
                        _ if string.is_empty() => {}
                        Some(first) => choice.untold |= text(first) != text(&string),
                        None => found.reasoning = Some(string),
                    }
                }
                (Some("reasoning_details"), Kind::Array) => {
                    found.details = Some(self.scanner.skip_value()?);
                }
                (Some("refusal"), Kind::String) => found.refusal = Some(self.scanner.string()?),
                (Some("annotations"), Kind::Array) => {
                    found.annotations = Some(self.scanner.skip_value()?);
                }
                (Some("images"), Kind::Array) => found.images = Some(self.scanner.skip_value()?),
                (Some("audio"), Kind::Object) => found.audio = Some(self.scanner.skip_value()?),
                (Some("tool_calls"), kind) if kind != Kind::Null => {
                    found.tool_calls = Some(self.scanner.skip_value()?.start);
                }
                (Some("function_call"), kind) if kind != Kind::Null => {
                    found.function_call = Some(self.scanner.skip_value()?.start);
                }
                (Some("role" | "name"), _) => {
                    self.scanner.skip_value()?;
                }
                _ => choice.untold |= self.scanner.skip_saying()?,
            }
        }
        Ok(found)
    }

    /// Parts: `{"type":"text","text":…}`, and Mistral's `{"type":"thinking","thinking":[…],"signature":…}` with parts of
    /// its own and `{"type":"reference","reference_ids":[…]}` of the text before it.
    fn parts(&mut self, choice: &mut ChoiceState, block: &Block) -> Result<(), JsonError> {
        let mut items = self.scanner.enter_array()?;
        while self.scanner.next_item(&mut items)? {
            if self.scanner.peek()? != Kind::Object {
                choice.untold |= self.scanner.skip_saying()?;
                continue;
            }
            let mut signature = None;
            let mut members = self.scanner.enter_object()?;
            while let Some(key) = self.scanner.next_member(&mut members)? {
                let kind = self.scanner.peek()?;
                match (key.plain(), kind) {
                    (Some("text"), Kind::String) => {
                        let text = self.scanner.string()?.text(self.body);
                        self.say(choice, block.clone(), text);
                    }
                    (Some("thinking"), Kind::Array) => self.parts(choice, &Block::Reasoning)?,
                    (Some("thinking"), Kind::String) => {
                        let text = self.scanner.string()?.text(self.body);
                        self.say(choice, Block::Reasoning, text);
                    }
                    (Some("signature"), Kind::String) => signature = self.text()?,
                    (Some("reference_ids"), Kind::Array) => self.references(choice)?,
                    (Some("type"), Kind::String) => {
                        let kind = self.scanner.string()?;
                        choice.untold |= !PARTS.into_iter().any(|known| kind.is(known));
                    }
                    // Whether a thought is at its end.
                    (Some("closed"), _) => {
                        self.scanner.skip_value()?;
                    }
                    _ => choice.untold |= self.scanner.skip_saying()?,
                }
            }
            // Whatever the order of the members: a seal comes after what it is for.
            if let Some(data) = signature.filter(|data| !data.is_empty()) {
                let seal = Seal::of_client(Protocol::Mistral, data, false);
                self.seal(choice, seal);
            }
        }
        Ok(())
    }

    /// Numbers of documents, or names.
    fn references(&mut self, choice: &mut ChoiceState) -> Result<(), JsonError> {
        let mut items = self.scanner.enter_array()?;
        while self.scanner.next_item(&mut items)? {
            let citation = match self.scanner.peek()? {
                Kind::String => Citation {
                    title: self.text()?,
                    ..Citation::default()
                },
                _ => {
                    let span = self.scanner.skip_value()?;
                    Citation {
                        document: self.scanner.text()[span].parse().ok(),
                        ..Citation::default()
                    }
                }
            };
            if citation != Citation::default() {
                self.cite(choice, citation);
            }
        }
        Ok(())
    }

    fn annotations(&mut self, choice: &mut ChoiceState, span: Span) {
        if let Ok(annotations) = Node::parse(&self.body.slice(span)) {
            let citations = read_citations(&annotations);
            choice.untold |= citations.len() < annotations.array().map_or(0, <[_]>::len);
            for citation in citations {
                self.cite(choice, citation);
            }
        }
    }

    /// `[{"type":"image_url","image_url":{"url":"data:…"}}]`
    fn images(&mut self, choice: &mut ChoiceState, span: Span) {
        let document = self.body.slice(span);
        let Ok(images) = Node::parse(&document) else {
            return;
        };
        for image in images.array().unwrap_or_default() {
            let url = image.get("image_url").and_then(|image| image.get("url"));
            choice.untold |= image.has_beside(&["type", "index", "image_url"]);
            let Some(url) = url.and_then(|url| url.text().ok()) else {
                choice.untold = true;
                continue;
            };
            match read_url(url) {
                (MediaSource::Data(data), media_type) => {
                    let index = self.start(
                        choice,
                        Block::Media {
                            kind: MediaKind::Image,
                            media_type: media_type.unwrap_or(Text::from_static("image/png")),
                        },
                    );
                    self.delta(choice, index, data);
                }
                (MediaSource::Url(url), _) => {
                    // As an image, not in a text.
                    choice.untold = true;
                    self.say(choice, Block::Text, Text::from(format!("![]({url})")));
                }
                _ => choice.untold = true,
            }
        }
    }

    /// `{"id":…,"data":…,"transcript":…}`: what is heard, and its words.
    fn audio(&mut self, choice: &mut ChoiceState, span: Span) {
        let document = self.body.slice(span);
        let Ok(audio) = Node::parse(&document) else {
            return;
        };
        let text = |key: &str| audio.get(key).and_then(|value| value.text().ok());
        // By its id the client can refer to it.
        choice.untold |= audio.get("id").is_some();
        if let Some(transcript) = text("transcript") {
            self.say(choice, Block::Text, transcript);
        }
        if let Some(data) = text("data").filter(|data| !data.is_empty()) {
            let index = choice.audio.unwrap_or_else(|| {
                self.start(
                    choice,
                    Block::Media {
                        kind: MediaKind::Audio,
                        media_type: Text::from_static("audio/wav"),
                    },
                )
            });
            choice.audio = Some(index);
            self.delta(choice, index, data);
        }
    }

    /// A call or a piece of one; `place` is where it stands in its array.
    fn tool_call(&mut self, choice: &mut ChoiceState, place: u32) -> Result<(), JsonError> {
        let (mut index, mut id) = (None, Text::default());
        let (mut name, mut arguments) = (Text::default(), Text::default());
        let mut kind = ToolKind::Function;
        let mut extra = None;
        let mut members = self.scanner.enter_object()?;
        while let Some(key) = self.scanner.next_member(&mut members)? {
            match key.plain() {
                Some("index") => {
                    let span = self.scanner.skip_value()?;
                    index = self.scanner.text()[span].parse().ok();
                }
                Some("id") => id = self.text()?.unwrap_or_default(),
                Some("function") => (name, arguments) = self.call(choice, "arguments")?,
                Some("custom") => {
                    kind = ToolKind::Custom;
                    (name, arguments) = self.call(choice, "input")?;
                }
                Some("extra_content") => extra = Some(self.scanner.skip_value()?),
                Some("type") => {
                    let kind = self.optional_string()?;
                    let known = ["function", "custom", ""];
                    choice.untold |=
                        kind.is_some_and(|kind| !known.into_iter().any(|known| kind.is(known)));
                }
                _ => choice.untold |= self.scanner.skip_saying()?,
            }
        }
        let known = choice.tool(index, &id, !name.is_empty());
        choice.untold |= extra
            .clone()
            .is_some_and(|span| self.says_more_than_a_signature(span));
        let block = known.unwrap_or_else(|| {
            if let Some(seal) = extra.and_then(|span| self.signature(span)) {
                let thought = self.start(choice, Block::Reasoning);
                self.out.seal(choice.index, thought, seal);
            }
            let block = choice.blocks;
            choice.tools.push(Tool {
                index: index.unwrap_or(place),
                id: id.clone(),
                block,
            });
            self.start(choice, Block::ToolCall { id, name, kind })
        });
        self.delta(choice, block, arguments);
        Ok(())
    }

    /// `{"google":{"thought_signature":…}}`: <https://ai.google.dev/gemini-api/docs/thought-signatures#openai>
    fn signature(&self, span: Span) -> Option<Seal> {
        let document = self.body.slice(span);
        let extra = Node::parse(&document).ok()?;
        let signature = extra.get("google")?.get("thought_signature")?;
        let data = signature.text().ok().filter(|data| !data.is_empty())?;
        Some(Seal::of_client(Protocol::Gemini, data, false))
    }

    fn says_more_than_a_signature(&self, extra: Span) -> bool {
        let document = self.body.slice(extra);
        Node::parse(&document).is_ok_and(|extra| {
            let google = extra.get("google");
            extra.has_beside(&["google"])
                || google.is_some_and(|google| google.has_beside(&["thought_signature"]))
        })
    }

    /// The old way to call.
    fn legacy_call(&mut self, choice: &mut ChoiceState) -> Result<(), JsonError> {
        let (name, arguments) = self.call(choice, "arguments")?;
        let block = choice.legacy.unwrap_or_else(|| {
            self.start(
                choice,
                Block::ToolCall {
                    id: Text::default(),
                    name,
                    kind: ToolKind::LegacyFunction,
                },
            )
        });
        choice.legacy = Some(block);
        self.delta(choice, block, arguments);
        Ok(())
    }

    /// Name and input of a call. Some upstreams give the arguments as an object, not as a string.
    fn call(&mut self, choice: &mut ChoiceState, input: &str) -> Result<(Text, Text), JsonError> {
        let (mut name, mut arguments) = (Text::default(), Text::default());
        if self.scanner.peek()? == Kind::Null {
            self.scanner.skip_value()?;
            return Ok((name, arguments));
        }
        let mut members = self.scanner.enter_object()?;
        while let Some(key) = self.scanner.next_member(&mut members)? {
            match key.plain() {
                Some("name") => name = self.text()?.unwrap_or_default(),
                Some(key) if key == input => {
                    arguments = if self.scanner.peek()? == Kind::Object {
                        let span = self.scanner.skip_value()?;
                        Text::slice_of(self.body, span)
                    } else {
                        self.text()?.unwrap_or_default()
                    };
                }
                _ => choice.untold |= self.scanner.skip_saying()?,
            }
        }
        Ok((name, arguments))
    }
}
