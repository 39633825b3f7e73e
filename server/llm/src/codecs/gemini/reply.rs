//! A `GenerateContentResponse`, whole or a chunk of a stream: the same shape.

use bytes::Bytes;

use super::citations::{Cited, read_citations};
use super::errors;
use crate::chat::{
    Block, ChatRequest, MediaSource, Protocol, Seal, Stamp, StreamEvent, TokenLogprob, ToolKind,
    Usage,
};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{Json, Node, ShapeError, Span};
use crate::text::Text;
use crate::wire::gemini::{
    Call, PartData, items, media_kind, read_error, read_finish, read_part, read_usage,
};

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

/// What was said so far of one candidate.
#[derive(Debug, Default)]
struct Candidate {
    index: u32,
    blocks: u32,
    /// The last block, while more of it may come.
    open: Option<Open>,
    calls: bool,
    /// Why it ended. Some models say so with every chunk: the last one counts.
    reason: Option<Text>,
    cited: Cited,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Text,
    Thought,
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

    /// Reads a reply or a chunk of one, or an array of chunks, and appends its events.
    pub fn read(
        &mut self,
        body: &Bytes,
        out: &mut Vec<StreamEvent>,
    ) -> Result<Option<Span>, ApiError> {
        let node = Node::parse(body).map_err(|error| {
            bad_reply(format!(
                "the upstream's reply is not what it should be: {error}"
            ))
        })?;
        if let Some(error) = read_error(&node) {
            return Err(errors::from_body(error));
        }
        let mut model = None;
        for chunk in items(&node) {
            if let Some(error) = read_error(chunk) {
                return Err(errors::from_body(error));
            }
            let found = self.chunk(chunk, out);
            model = model.or(found.map_err(|error| error.bad_reply())?);
        }
        // The one name that is spliced does not speak for several chunks.
        Ok(model.filter(|_| node.array().is_err()))
    }

    /// Whether all has been said that was asked for.
    pub fn is_whole(&self, choices: u32) -> bool {
        let there = u32::try_from(self.candidates.len()).unwrap_or(u32::MAX);
        self.blocked
            || there >= choices.max(1) && self.candidates.iter().all(|one| one.reason.is_some())
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

    fn chunk(
        &mut self,
        chunk: &Node<'_>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<Option<Span>, ShapeError> {
        let text = |name| chunk.object()?.get(name).map(Node::text).transpose();
        let model = text("modelVersion")?;
        if !std::mem::replace(&mut self.started, true) {
            out.push(StreamEvent::Started {
                id: text("responseId")?.unwrap_or_default(),
                model: model.unwrap_or_default(),
                created: None,
            });
        }
        if let Some(candidates) = chunk.get("candidates") {
            for candidate in candidates.array()? {
                self.candidate(candidate, out)?;
            }
        }
        let refused = chunk.get("promptFeedback");
        let refused = refused.and_then(|feedback| feedback.get("blockReason"));
        if refused.is_some() && self.candidates.is_empty() {
            self.blocked = true;
            self.candidates.push(Candidate {
                reason: Some(Text::from_static("SAFETY")),
                ..Candidate::default()
            });
        }
        if let Some(metadata) = chunk.get("usageMetadata") {
            let usage = read_usage(metadata);
            if self.usage.replace(usage) != Some(usage) {
                out.push(StreamEvent::Usage(usage));
            }
        }
        Ok(chunk.get("modelVersion").map(Node::span))
    }

    fn candidate(&mut self, node: &Node<'_>, out: &mut Vec<StreamEvent>) -> Result<(), ShapeError> {
        let index = match node.object()?.get("index") {
            Some(index) => index.u64()?,
            None => 0,
        };
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let known = self.candidates.iter().position(|one| one.index == index);
        let at = known.unwrap_or_else(|| {
            self.candidates.push(Candidate {
                index,
                ..Candidate::default()
            });
            self.candidates.len() - 1
        });
        let mut reader = Reader {
            stamp: self.stamp,
            calls: &mut self.calls,
            candidate: &mut self.candidates[at],
            out,
        };
        reader.candidate(node)
    }
}

/// Reads what one candidate says in one chunk.
struct Reader<'r> {
    stamp: Stamp,
    calls: &'r mut u32,
    candidate: &'r mut Candidate,
    out: &'r mut Vec<StreamEvent>,
}

impl Reader<'_> {
    fn candidate(&mut self, node: &Node<'_>) -> Result<(), ShapeError> {
        self.candidate.cited.parts.clear();
        let parts = node.get("content").and_then(|content| content.get("parts"));
        for part in parts.map(items).unwrap_or_default() {
            self.part(part)?;
        }
        let choice = self.candidate.index;
        for (index, citation) in read_citations(node, &mut self.candidate.cited)? {
            self.out.push(StreamEvent::Cited {
                choice,
                index,
                citation,
            });
        }
        if let Some(result) = node.get("logprobsResult") {
            let tokens = read_logprobs(result)?;
            if !tokens.is_empty() {
                self.out.push(StreamEvent::Logprobs { choice, tokens });
            }
        }
        if let Some(word) = node.get("finishReason") {
            let word = word.text()?;
            // A word of no meaning does not end it.
            if read_finish(&word, false).is_some() {
                self.candidate.reason = Some(word);
            }
        }
        Ok(())
    }

    fn part(&mut self, node: &Node<'_>) -> Result<(), ShapeError> {
        let part = read_part(node)?;
        let place = match part.data {
            PartData::Text(text) if part.thought => {
                self.thought(text, part.signature);
                None
            }
            PartData::Text(text) => {
                self.sign(part.signature);
                self.text(text)
            }
            PartData::Call(call) => {
                self.sign(part.signature);
                self.call(call, node)?;
                None
            }
            PartData::Media(MediaSource::Data(data), media_type) if !part.thought => {
                self.sign(part.signature);
                self.media(data, media_type);
                None
            }
            PartData::Nothing => {
                self.sign(part.signature);
                None
            }
            // Pictures on the way to a picture, code that ran there, and what is yet to be invented.
            PartData::Media(..) | PartData::Response(_) | PartData::Other(_) => None,
        };
        self.candidate.cited.parts.push(place);
        Ok(())
    }

    /// Where the text went: its block, and from which byte of it on.
    fn text(&mut self, text: Text) -> Option<(u32, usize)> {
        if text.is_empty() {
            return None;
        }
        let index = self.open(Open::Text);
        let from = self.candidate.cited.said(index, &text);
        self.delta(index, text);
        Some((index, from))
    }

    fn thought(&mut self, text: Text, signature: Option<Text>) {
        if !text.is_empty() {
            let index = self.open(Open::Thought);
            self.delta(index, text);
        }
        if let Some(signature) = signature {
            let index = self.open(Open::Thought);
            self.sealed(index, signature);
        }
    }

    /// A signature of what comes next: a thought without text.
    fn sign(&mut self, signature: Option<Text>) {
        if let Some(signature) = signature {
            let index = self.start(Block::Reasoning);
            self.sealed(index, signature);
        }
    }

    fn sealed(&mut self, index: u32, signature: Text) {
        self.candidate.open = None;
        self.out.push(StreamEvent::Sealed {
            choice: self.candidate.index,
            index,
            seal: Seal::of_client(Protocol::Gemini, signature, false),
        });
    }

    fn call(&mut self, call: Call, node: &Node<'_>) -> Result<(), ShapeError> {
        let Some(name) = call.name else {
            // Pieces of a call that is streamed, which only a client of the same protocol can ask for.
            if !call.partial {
                node.require("functionCall")?.require("name")?;
            }
            return Ok(());
        };
        let number = *self.calls;
        *self.calls += 1;
        self.candidate.calls = true;
        let id = call
            .id
            .unwrap_or_else(|| Text::from(self.stamp.id("call_") + &number.to_string()));
        let index = self.start(Block::ToolCall {
            id,
            name,
            kind: ToolKind::Function,
        });
        self.delta(index, call.args);
        Ok(())
    }

    fn media(&mut self, data: Text, media_type: Option<Text>) {
        let media_type =
            media_type.unwrap_or_else(|| Text::from_static("application/octet-stream"));
        let index = self.start(Block::Media {
            kind: media_kind(&media_type),
            media_type,
        });
        if !data.is_empty() {
            self.delta(index, data);
        }
    }

    /// The open block, if it is such a one, or a new one.
    fn open(&mut self, wanted: Open) -> u32 {
        if self.candidate.open == Some(wanted) {
            return self.candidate.blocks - 1;
        }
        let index = self.start(match wanted {
            Open::Text => Block::Text,
            Open::Thought => Block::Reasoning,
        });
        self.candidate.open = Some(wanted);
        index
    }

    fn start(&mut self, block: Block) -> u32 {
        let index = self.candidate.blocks;
        self.candidate.blocks += 1;
        self.candidate.open = None;
        self.out.push(StreamEvent::BlockStarted {
            choice: self.candidate.index,
            index,
            block,
        });
        index
    }

    fn delta(&mut self, index: u32, text: Text) {
        self.out.push(StreamEvent::BlockDelta {
            choice: self.candidate.index,
            index,
            text,
        });
    }
}

/// `LogprobsResult`: <https://ai.google.dev/api/generate-content#LogprobsResult>
fn read_logprobs(result: &Node<'_>) -> Result<Vec<TokenLogprob>, ShapeError> {
    let chosen = result
        .get("chosenCandidates")
        .map(items)
        .unwrap_or_default();
    let mut top = result
        .get("topCandidates")
        .map(items)
        .unwrap_or_default()
        .iter();
    let mut tokens = Vec::with_capacity(chosen.len());
    for one in chosen {
        let (token, logprob) = read_token(one)?;
        let others = top.next().and_then(|others| others.get("candidates"));
        let others = others.map(items).unwrap_or_default();
        tokens.push(TokenLogprob {
            token,
            logprob,
            top: others.iter().map(read_token).collect::<Result<_, _>>()?,
        });
    }
    Ok(tokens)
}

fn read_token(candidate: &Node<'_>) -> Result<(Text, Json), ShapeError> {
    let token = candidate.object()?.get("token");
    let logprob = match candidate.get("logProbability") {
        Some(number) => number.number()?,
        None => Json::of_valid(Text::from_static("0")),
    };
    Ok((
        token.map(Node::text).transpose()?.unwrap_or_default(),
        logprob,
    ))
}

pub(super) fn bad_reply(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
}
