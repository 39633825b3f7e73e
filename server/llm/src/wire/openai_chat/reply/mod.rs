//! A reply's body, whole (`chat.completion`) or a chunk of it (`chat.completion.chunk`): the same shape,
//! but for `message` here and `delta` there.

mod message;
mod sink;
mod state;
mod thoughts;

use bytes::Bytes;

use super::read_logprobs;
use super::usage::read_usage;
use crate::chat::{Block, Citation, FinishReason, Usage};
use crate::json::{JsonError, JsonStr, Kind, Node, Scanner, Span};
use crate::text::Text;

pub(crate) use sink::Sink;
pub(crate) use state::{ChoiceState, ReplyState};

/// What servers say of how they answered, not of the answer: beside the choices, and in one.
const BESIDE_A_REPLY: [&str; 22] = [
    "id",
    "created",
    "system_fingerprint",
    "service_tier",
    "obfuscation",
    "provider",
    "request_id",
    // Azure.
    "prompt_filter_results",
    "prompt_annotations",
    // Groq, Cerebras, LM Studio, llama.cpp, NVIDIA.
    "x_groq",
    "usage_breakdown",
    "time_info",
    "stats",
    "model_info",
    "runtime",
    "timings",
    "nvext",
    // vLLM, Together.
    "kv_transfer_params",
    "metrics",
    "prompt",
    // MiniMax.
    "base_resp",
    "input_sensitive",
];
const BESIDE_A_CHOICE: [&str; 6] = [
    "content_filter_results",
    "content_filter_offsets",
    "native_finish_reason",
    "matched_stop",
    "seed",
    "weight_version",
];

/// What a body turned out to be.
#[derive(Debug)]
pub(crate) enum ReplyScan {
    Reply(Head),
    /// It is an error.
    Error,
}

/// What a body says beside its choices.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// Who is speaking, where the reply begins with this body.
    pub started: Option<Started>,
    pub usage: Option<Usage>,
    /// The value of `model`, where it is a string.
    pub model: Option<Span>,
    /// Usage, and no choices.
    pub usage_only: bool,
}

/// What a reply begins with.
#[derive(Debug, Default)]
pub(crate) struct Started {
    pub id: Text,
    pub model: Text,
    pub created: Option<i64>,
}

/// Reads a body once, and hands on what it says of its choices.
///
/// # Errors
/// Not JSON, or of another shape.
pub(crate) fn scan_reply<S: Sink>(
    body: &Bytes,
    state: &mut ReplyState,
    out: &mut S,
) -> Result<ReplyScan, JsonError> {
    let mut reader = Reader {
        body,
        scanner: Scanner::from_utf8(body)?,
        out,
    };
    reader.reply(state)
}

struct Reader<'a, 'o, S> {
    body: &'a Bytes,
    scanner: Scanner<'a>,
    out: &'o mut S,
}

impl<'a, S: Sink> Reader<'a, '_, S> {
    fn reply(&mut self, state: &mut ReplyState) -> Result<ReplyScan, JsonError> {
        let mut head = Head::default();
        let mut started = Started::default();
        let mut choices = 0_usize;
        let mut error = false;
        let (mut citations, mut results) = (None, None);
        let mut members = self.scanner.enter_object()?;
        while let Some(key) = self.scanner.next_member(&mut members)? {
            match key.plain() {
                Some("id") if !state.started => started.id = self.text()?.unwrap_or_default(),
                Some("created") if !state.started => started.created = self.seconds()?,
                Some("model") => {
                    if let Some(name) = self.optional_string()? {
                        head.model = Some(name.span());
                        if !state.started {
                            started.model = name.text(self.body);
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
                Some("usage") => head.usage = read_usage(&mut self.scanner)?,
                Some("error") => {
                    error |= self.scanner.peek()? != Kind::Null;
                    self.scanner.skip_value()?;
                }
                Some("object") => {
                    let object = self.optional_string()?;
                    error |= object.is_some_and(|object| object.is("error"));
                }
                Some("citations") => citations = Some(self.scanner.skip_value()?),
                Some("search_results") => results = Some(self.scanner.skip_value()?),
                Some(key) if BESIDE_A_REPLY.contains(&key) => {
                    self.scanner.skip_value()?;
                }
                _ => state.untold |= self.scanner.skip_saying()?,
            }
        }
        self.scanner.end()?;
        if error {
            return Ok(ReplyScan::Error);
        }
        if let Some(span) = results.or(citations) {
            self.sources(state, span);
        }
        head.usage_only = choices == 0 && head.usage.is_some();
        if !state.started && (choices > 0 || head.usage.is_some()) {
            state.started = true;
            head.started = Some(started);
        }
        Ok(ReplyScan::Reply(head))
    }

    /// Reads a choice; true where it carries an error.
    fn choice(&mut self, state: &mut ReplyState) -> Result<bool, JsonError> {
        let mut index = None;
        let mut message = None;
        // Where a text is continued, it stands in place of a message.
        let (mut text, mut reason): (Option<Text>, Option<Text>) = (None, None);
        let mut logprobs = None;
        let (mut error, mut untold) = (false, false);
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
                Some("text") => text = self.text()?,
                Some("finish_reason") => reason = self.text()?,
                Some("logprobs") => {
                    let object = self.scanner.peek()? == Kind::Object;
                    let span = self.scanner.skip_value()?;
                    logprobs = object.then_some(span);
                }
                Some("error") => {
                    error |= self.scanner.peek()? != Kind::Null;
                    self.scanner.skip_value()?;
                }
                Some(key) if BESIDE_A_CHOICE.contains(&key) => {
                    self.scanner.skip_value()?;
                }
                _ => untold |= self.scanner.skip_saying()?,
            }
        }
        let choice = state.choice(index.unwrap_or(0));
        choice.untold |= untold;
        if let Some(start) = message.filter(|_| !read) {
            let end = self.scanner.position();
            self.scanner.rewind(start);
            self.message(choice)?;
            self.scanner.rewind(end);
        }
        if let Some(text) = text {
            self.say(choice, Block::Text, text);
        }
        if let Some(span) = logprobs {
            let tokens = read_logprobs(&self.body.slice(span));
            if !tokens.is_empty() {
                self.out.logprobs(choice.index, tokens);
            }
        }
        if let Some(reason) = reason.filter(|reason| !reason.is_empty() && !choice.finished) {
            choice.finished = true;
            let reason = finish_reason(reason, choice.called());
            self.out.finish(choice.index, reason);
        }
        Ok(error)
    }

    /// Sources beside the choices, as search engines give them: URLs, or objects with `url` and `title`. Each chunk of
    /// a stream repeats them.
    fn sources(&mut self, state: &mut ReplyState, span: Span) {
        let document = self.body.slice(span);
        let Ok(sources) = Node::parse(&document) else {
            return;
        };
        let told = state.sources;
        let sources = sources.array().unwrap_or_default();
        // In a message they stand otherwise.
        state.untold |= !sources.is_empty();
        state.sources = told.max(sources.len());
        for source in sources.iter().skip(told) {
            let text = |key: &str| source.get(key).and_then(|value| value.text().ok());
            let Some(url) = source.text().ok().or_else(|| text("url")) else {
                continue;
            };
            let citation = Citation {
                url: Some(url),
                title: text("title"),
                quoted: text("snippet").filter(|snippet| !snippet.is_empty()),
                ..Citation::default()
            };
            self.cite(state.choice(0), citation);
        }
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
        if !choice.citations.is_empty() && choice.text == Some(index) {
            for citation in std::mem::take(&mut choice.citations) {
                self.cite(choice, citation);
            }
        }
    }

    /// Tells a source of the answer, now or when it begins.
    fn cite(&mut self, choice: &mut ChoiceState, citation: Citation) {
        match choice.text {
            Some(index) => self.out.cite(choice.index, index, citation),
            None => choice.citations.push(citation),
        }
    }

    fn start(&mut self, choice: &mut ChoiceState, block: Block) -> u32 {
        let index = choice.blocks;
        choice.blocks += 1;
        self.out.start(choice.index, index, block);
        index
    }

    fn delta(&mut self, choice: &ChoiceState, index: u32, text: Text) {
        if !text.is_empty() {
            self.out.delta(choice.index, index, text);
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

/// Reads OpenAI's words, and what others put for them. Some upstreams call tools and say `stop`.
fn finish_reason(word: Text, called: bool) -> FinishReason {
    match word.as_str() {
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" if called => {
            FinishReason::ToolCalls
        }
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => FinishReason::Stop,
        "length" | "max_tokens" | "model_length" => FinishReason::Length,
        "tool_calls" | "tool_use" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        _ => FinishReason::Other(word),
    }
}
