//! A reply's body, whole (`chat.completion`) or a chunk of it (`chat.completion.chunk`): the same shape,
//! but for `message` here and `delta` there.

use bytes::Bytes;

use super::usage::read_usage;
use crate::chat::{Block, Citation, FinishReason, Protocol, Seal, StreamEvent, ToolKind};
use crate::json::{JsonError, JsonStr, Kind, Scanner, Span};
use crate::text::Text;

/// What was said so far.
#[derive(Debug, Default)]
pub(crate) struct ReplyState {
    pub started: bool,
    pub choices: Vec<ChoiceState>,
}

/// What was said so far of one choice.
#[derive(Debug, Default)]
pub(crate) struct ChoiceState {
    pub index: u32,
    pub finished: bool,
    blocks: u32,
    text: Option<u32>,
    reasoning: Option<u32>,
    refusal: Option<u32>,
    legacy: Option<u32>,
    tools: Vec<Tool>,
}

/// A tool call under way.
#[derive(Debug)]
struct Tool {
    /// The upstream's number for it.
    index: u32,
    id: Text,
    block: u32,
}

/// What a body turned out to be.
#[derive(Debug)]
pub(crate) enum ReplyScan {
    Reply(ReplyMarks),
    /// It is an error.
    Error,
}

/// What was noticed on the way.
#[derive(Debug, Default)]
pub(crate) struct ReplyMarks {
    /// The value of `model`, where it is a string.
    pub model: Option<Span>,
    /// Usage, and no choices.
    pub usage_only: bool,
}

/// Reads a body once and appends its events.
///
/// # Errors
/// Not JSON, or of another shape.
pub(crate) fn scan_reply(
    body: &Bytes,
    state: &mut ReplyState,
    out: &mut Vec<StreamEvent>,
) -> Result<ReplyScan, JsonError> {
    let mut reader = Reader {
        body,
        scanner: Scanner::from_utf8(body)?,
        out,
    };
    reader.reply(state)
}

struct Reader<'a> {
    body: &'a Bytes,
    scanner: Scanner<'a>,
    out: &'a mut Vec<StreamEvent>,
}

impl<'a> Reader<'a> {
    fn reply(&mut self, state: &mut ReplyState) -> Result<ReplyScan, JsonError> {
        let first = self.out.len();
        let mut marks = ReplyMarks::default();
        let (mut id, mut model, mut created) = (Text::default(), Text::default(), None);
        let mut usage = None;
        let mut choices = 0_usize;
        let mut error = false;
        let mut members = self.scanner.enter_object()?;
        while let Some(key) = self.scanner.next_member(&mut members)? {
            match key.plain() {
                Some("id") if !state.started => id = self.text()?.unwrap_or_default(),
                Some("created") if !state.started => created = self.seconds()?,
                Some("model") => {
                    if let Some(name) = self.optional_string()? {
                        marks.model = Some(name.span());
                        if !state.started {
                            model = name.text(self.body);
                        }
                    }
                }
                Some("choices") => {
                    if self.scanner.peek()? == Kind::Null {
                        self.scanner.skip_value()?;
                        continue;
                    }
                    let mut items = self.scanner.enter_array()?;
                    while self.scanner.next_item(&mut items)? {
                        choices += 1;
                        error |= self.choice(state)?;
                    }
                }
                Some("usage") => usage = read_usage(&mut self.scanner)?,
                Some("error") => {
                    error |= self.scanner.peek()? != Kind::Null;
                    self.scanner.skip_value()?;
                }
                Some("object") => {
                    let object = self.optional_string()?;
                    error |= object.is_some_and(|object| object.is("error"));
                }
                _ => {
                    self.scanner.skip_value()?;
                }
            }
        }
        self.scanner.end()?;
        if error {
            return Ok(ReplyScan::Error);
        }
        marks.usage_only = choices == 0 && usage.is_some();
        if !state.started && (choices > 0 || usage.is_some()) {
            state.started = true;
            let started = StreamEvent::Started { id, model, created };
            self.out.insert(first, started);
        }
        self.out.extend(usage.map(StreamEvent::Usage));
        Ok(ReplyScan::Reply(marks))
    }

    /// Reads a choice; true where it carries an error.
    fn choice(&mut self, state: &mut ReplyState) -> Result<bool, JsonError> {
        let mut index = None;
        let mut message = None;
        let mut reason: Option<Text> = None;
        let mut error = false;
        let mut read = false;
        let mut members = self.scanner.enter_object()?;
        while let Some(key) = self.scanner.next_member(&mut members)? {
            match key.plain() {
                Some("index") => {
                    let span = self.scanner.skip_value()?;
                    index = self.scanner.text()[span].parse().ok();
                }
                Some("delta" | "message") => match index {
                    Some(index) if !read => {
                        read = true;
                        self.message(state.choice(index))?;
                    }
                    // The index comes later, or not at all.
                    _ => message = Some(self.scanner.skip_value()?.start),
                },
                Some("finish_reason") => reason = self.text()?,
                Some("error") => {
                    error |= self.scanner.peek()? != Kind::Null;
                    self.scanner.skip_value()?;
                }
                _ => {
                    self.scanner.skip_value()?;
                }
            }
        }
        let choice = state.choice(index.unwrap_or(0));
        if let Some(start) = message.filter(|_| !read) {
            let end = self.scanner.position();
            self.scanner.rewind(start);
            self.message(choice)?;
            self.scanner.rewind(end);
        }
        if let Some(reason) = reason.filter(|reason| !reason.is_empty() && !choice.finished) {
            choice.finished = true;
            self.out.push(StreamEvent::Finished {
                choice: choice.index,
                reason: finish_reason(reason),
            });
        }
        Ok(error)
    }

    fn message(&mut self, choice: &mut ChoiceState) -> Result<(), JsonError> {
        if self.scanner.peek()? == Kind::Null {
            self.scanner.skip_value()?;
            return Ok(());
        }
        // Some upstreams say the same thought under both names.
        let mut thought = false;
        let mut members = self.scanner.enter_object()?;
        while let Some(key) = self.scanner.next_member(&mut members)? {
            match key.plain() {
                Some("content") => self.content(choice)?,
                Some("reasoning_content" | "reasoning") if !thought => {
                    if let Some(text) = self.text()? {
                        thought = !text.is_empty();
                        self.say(choice, Block::Reasoning, text);
                    }
                }
                Some("refusal") => {
                    if let Some(text) = self.text()? {
                        self.say(choice, Block::Refusal, text);
                    }
                }
                Some("tool_calls") => {
                    if self.scanner.peek()? == Kind::Null {
                        self.scanner.skip_value()?;
                        continue;
                    }
                    let mut items = self.scanner.enter_array()?;
                    let mut place = 0;
                    while self.scanner.next_item(&mut items)? {
                        self.tool_call(choice, place)?;
                        place += 1;
                    }
                }
                Some("function_call") => self.legacy_call(choice)?,
                _ => {
                    self.scanner.skip_value()?;
                }
            }
        }
        Ok(())
    }

    /// A string, or an array of typed parts.
    fn content(&mut self, choice: &mut ChoiceState) -> Result<(), JsonError> {
        if self.scanner.peek()? != Kind::Array {
            if let Some(text) = self.text()? {
                self.say(choice, Block::Text, text);
            }
            return Ok(());
        }
        self.parts(choice, &Block::Text)
    }

    /// Parts: `{"type":"text","text":…}`, and Mistral's `{"type":"thinking","thinking":[…],"signature":…}` with parts of
    /// its own and `{"type":"reference","reference_ids":[…]}` of the text before it.
    fn parts(&mut self, choice: &mut ChoiceState, block: &Block) -> Result<(), JsonError> {
        let mut items = self.scanner.enter_array()?;
        while self.scanner.next_item(&mut items)? {
            if self.scanner.peek()? != Kind::Object {
                self.scanner.skip_value()?;
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
                    _ => {
                        self.scanner.skip_value()?;
                    }
                }
            }
            // Whatever the order of the members: a seal comes after what it is for.
            if let (Some(data), Some(index)) = (signature, choice.reasoning) {
                self.out.push(StreamEvent::Sealed {
                    choice: choice.index,
                    index,
                    seal: Seal {
                        protocol: Protocol::Mistral,
                        data,
                        encrypted: false,
                        id: Text::default(),
                    },
                });
            }
        }
        Ok(())
    }

    /// Numbers of documents, or names.
    fn references(&mut self, choice: &ChoiceState) -> Result<(), JsonError> {
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
            if let Some(index) = choice.text.filter(|_| citation != Citation::default()) {
                self.out.push(StreamEvent::Cited {
                    choice: choice.index,
                    index,
                    citation,
                });
            }
        }
        Ok(())
    }

    /// A call or a piece of one; `place` is where it stands in its array.
    fn tool_call(&mut self, choice: &mut ChoiceState, place: u32) -> Result<(), JsonError> {
        let (mut index, mut id) = (None, Text::default());
        let (mut name, mut arguments) = (Text::default(), Text::default());
        let mut kind = ToolKind::Function;
        let mut members = self.scanner.enter_object()?;
        while let Some(key) = self.scanner.next_member(&mut members)? {
            match key.plain() {
                Some("index") => {
                    let span = self.scanner.skip_value()?;
                    index = self.scanner.text()[span].parse().ok();
                }
                Some("id") => id = self.text()?.unwrap_or_default(),
                Some("function") => (name, arguments) = self.call("arguments")?,
                Some("custom") => {
                    kind = ToolKind::Custom;
                    (name, arguments) = self.call("input")?;
                }
                _ => {
                    self.scanner.skip_value()?;
                }
            }
        }
        let known = choice.tool(index, &id, !name.is_empty());
        let block = known.unwrap_or_else(|| {
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

    /// The old way to call.
    fn legacy_call(&mut self, choice: &mut ChoiceState) -> Result<(), JsonError> {
        if self.scanner.peek()? == Kind::Null {
            self.scanner.skip_value()?;
            return Ok(());
        }
        let (name, arguments) = self.call("arguments")?;
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
    fn call(&mut self, input: &str) -> Result<(Text, Text), JsonError> {
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
                _ => {
                    self.scanner.skip_value()?;
                }
            }
        }
        Ok((name, arguments))
    }

    fn say(&mut self, choice: &mut ChoiceState, block: Block, text: Text) {
        if text.is_empty() {
            return;
        }
        let open = match block {
            Block::Reasoning => choice.reasoning,
            Block::Refusal => choice.refusal,
            Block::Text | Block::ToolCall { .. } | Block::Media { .. } => choice.text,
        };
        let index = open.unwrap_or_else(|| {
            let index = Some(choice.blocks);
            match block {
                Block::Reasoning => choice.reasoning = index,
                Block::Refusal => choice.refusal = index,
                Block::Text | Block::ToolCall { .. } | Block::Media { .. } => choice.text = index,
            }
            self.start(choice, block)
        });
        self.delta(choice, index, text);
    }

    fn start(&mut self, choice: &mut ChoiceState, block: Block) -> u32 {
        let index = choice.blocks;
        choice.blocks += 1;
        self.out.push(StreamEvent::BlockStarted {
            choice: choice.index,
            index,
            block,
        });
        index
    }

    fn delta(&mut self, choice: &ChoiceState, index: u32, text: Text) {
        if !text.is_empty() {
            self.out.push(StreamEvent::BlockDelta {
                choice: choice.index,
                index,
                text,
            });
        }
    }

    fn seconds(&mut self) -> Result<Option<i64>, JsonError> {
        let span = self.scanner.skip_value()?;
        let number = &self.scanner.text()[span];
        // Some upstreams count fractions.
        let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
        Ok(whole.parse().ok())
    }

    fn text(&mut self) -> Result<Option<Text>, JsonError> {
        Ok(self.optional_string()?.map(|string| string.text(self.body)))
    }

    /// A string; anything else is passed over.
    fn optional_string(&mut self) -> Result<Option<JsonStr<'a>>, JsonError> {
        if self.scanner.peek()? == Kind::String {
            return self.scanner.string().map(Some);
        }
        self.scanner.skip_value()?;
        Ok(None)
    }
}

impl ReplyState {
    fn choice(&mut self, index: u32) -> &mut ChoiceState {
        let known = self.choices.iter().position(|choice| choice.index == index);
        let at = known.unwrap_or_else(|| {
            self.choices.push(ChoiceState {
                index,
                ..ChoiceState::default()
            });
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }
}

impl ChoiceState {
    /// The block that a piece of a call belongs to. Calls are told apart by their number; where an
    /// upstream numbers them all alike, by an id of their own, and where it does not number them, each
    /// name begins one.
    fn tool(&self, index: Option<u32>, id: &Text, named: bool) -> Option<u32> {
        let Some(index) = index else {
            let last = self.tools.last()?;
            return (!named).then_some(last.block);
        };
        let tool = self.tools.iter().rev().find(|tool| tool.index == index)?;
        let another = named && !id.is_empty() && tool.id != *id;
        (!another).then_some(tool.block)
    }
}

fn finish_reason(word: Text) -> FinishReason {
    match word.as_str() {
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        _ => FinishReason::Other(word),
    }
}
