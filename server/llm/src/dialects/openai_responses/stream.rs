//! A reply in events: <https://platform.openai.com/docs/api-reference/responses-streaming>

use bytes::{Bytes, BytesMut};

use super::events::Events;
use super::object::{Asked, Head, Status};
use super::output::{Item, ItemKind, Part};
use crate::chat::{
    Block, ChatRequest, Citation, FinishReason, Seal, StreamEvent, TokenLogprob, ToolKind, Usage,
};
use crate::dialect::StreamEncoder;
use crate::error::{ApiError, ErrorKind};
use crate::framing::Frame;
use crate::json::{ObjectWriter, quote};
use crate::text::Text;
use crate::wire::openai_chat::error_words;
use crate::wire::openai_responses::{write_citation, write_logprobs};

/// The state of one reply stream on its way to the client.
#[derive(Debug)]
pub(super) struct Encoder {
    asked: Asked,
    /// The client's name of the model, as JSON.
    model: Option<Bytes>,
    /// The number of the next event.
    sequence: u64,
    /// Frames were carried: the upstream says all there is to say.
    carried: bool,
    /// The last event or an error was written.
    over: bool,
    head: Option<Head>,
    items: Vec<Item>,
    /// An item whose id may still be another: nobody was told of it yet.
    unannounced: Option<usize>,
    /// Where each block's text goes.
    blocks: Vec<(Block, Place)>,
    /// Of tokens whose text is still to come.
    logprobs: Vec<TokenLogprob>,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
}

/// What a block became.
#[derive(Clone, Copy, Debug)]
enum Place {
    Part {
        item: usize,
        part: usize,
    },
    Item(usize),
    /// The protocol cannot say it.
    Nowhere,
}

impl Encoder {
    pub(super) fn new(request: &ChatRequest) -> Self {
        Self {
            asked: Asked::of(request),
            model: request.model.as_deref().map(quote),
            sequence: 0,
            carried: false,
            over: false,
            head: None,
            items: Vec::new(),
            unannounced: None,
            blocks: Vec::new(),
            logprobs: Vec::new(),
            finish: None,
            usage: None,
        }
    }

    fn make(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        match event {
            StreamEvent::Started { id, model, created } => self.begin(id, model, *created, out),
            StreamEvent::BlockStarted {
                choice: 0,
                index,
                block,
            } => {
                debug_assert_eq!(*index as usize, self.blocks.len());
                let place = self.start(block, out);
                self.blocks.push((block.clone(), place));
            }
            StreamEvent::BlockDelta {
                choice: 0,
                index,
                text,
            } => {
                self.say(*index as usize, text, out);
            }
            StreamEvent::Sealed {
                choice: 0,
                index,
                seal,
            } => {
                self.seal(*index as usize, seal, out);
            }
            StreamEvent::Cited {
                choice: 0,
                index,
                citation,
            } => self.cite(*index as usize, citation, out),
            StreamEvent::Usage(usage) => self.usage = Some(*usage),
            StreamEvent::Finished { choice: 0, reason } => {
                self.close_all(Some(reason), out);
                self.finish = Some(reason.clone());
            }
            // Probabilities go with the text. The protocol knows one alternative, and the client asked for no more.
            _ => {}
        }
    }

    fn begin(&mut self, id: &Text, model: &Text, created: Option<i64>, out: &mut BytesMut) {
        let head = Head::new(&self.asked, id, model, created);
        for name in ["response.created", "response.in_progress"] {
            self.events(out).write(name, |event| {
                event.object("response", |object| {
                    head.write(object, Status::InProgress, &[], None);
                });
            });
        }
        self.head = Some(head);
    }

    fn events<'a>(&'a mut self, out: &'a mut BytesMut) -> Events<'a> {
        Events {
            sequence: &mut self.sequence,
            out,
        }
    }

    /// Begins a block. What was said before it is done, but for calls: their arguments may come side by side.
    fn start(&mut self, block: &Block, out: &mut BytesMut) -> Place {
        let said = matches!(block, Block::Text | Block::Refusal);
        for index in 0..self.items.len() {
            let ends = match &self.items[index].kind {
                ItemKind::Message(_) => !said,
                ItemKind::Reasoning { .. } | ItemKind::Image { .. } => true,
                ItemKind::Call { .. } => false,
            };
            if ends {
                self.close(index, out);
            }
        }
        let open_message = self
            .items
            .iter()
            .position(|item| item.open && matches!(item.kind, ItemKind::Message(_)));
        let index = match open_message.filter(|_| said) {
            Some(index) => {
                self.close_parts(index, out);
                index
            }
            None => {
                let index = self.items.len();
                let Some(item) = Item::new(block, &self.asked.stamp, index) else {
                    return Place::Nowhere;
                };
                self.items.push(item);
                self.unannounced = Some(index);
                let refers = self.head.as_ref().is_some_and(|head| head.refers);
                if *block != Block::Reasoning || !refers {
                    self.announce(out);
                }
                index
            }
        };
        if !said {
            return Place::Item(index);
        }
        let item = &mut self.items[index];
        let ItemKind::Message(parts) = &mut item.kind else {
            return Place::Nowhere;
        };
        let place = Place::Part {
            item: index,
            part: parts.len(),
        };
        let part = Part::new(*block == Block::Refusal);
        let mut events = Events {
            sequence: &mut self.sequence,
            out,
        };
        let content_index = parts.len();
        events.write("response.content_part.added", |event| {
            event.string("item_id", &item.id);
            event.plain("output_index", index);
            event.plain("content_index", content_index);
            event.object("part", |object| part.write(object));
        });
        parts.push(part);
        place
    }

    fn announce(&mut self, out: &mut BytesMut) {
        if let Some(index) = self.unannounced.take() {
            let mut events = Events {
                sequence: &mut self.sequence,
                out,
            };
            events.added(index, &self.items[index]);
        }
    }

    /// Takes the seal of a thought. To a client that may refer to items by their ids alone, the seal goes in one, and
    /// what was thought with it: the item's own, or, where that was told already, that of an item that follows.
    fn seal(&mut self, block: usize, seal: &Seal, out: &mut BytesMut) {
        let Some((_, Place::Item(index))) = self.blocks.get(block) else {
            return;
        };
        let index = *index;
        let refers = self.head.as_ref().is_some_and(|head| head.refers);
        let item = &mut self.items[index];
        item.seal(seal);
        let Some(id) = item.telling_id(seal).filter(|_| refers) else {
            return;
        };
        if self.unannounced == Some(index) {
            item.id = id;
            return;
        }
        self.close(index, out);
        let after = self.items.len();
        self.items.push(Item::telling(id));
        self.unannounced = Some(after);
        self.close(after, out);
    }

    /// Writes more of a block.
    fn say(&mut self, block: usize, text: &Text, out: &mut BytesMut) {
        let Some((kind, place)) = self.blocks.get(block).cloned() else {
            return;
        };
        let place = if self.takes_more(place) {
            place
        } else {
            // It was taken for done: it goes on in an item of its own.
            let place = self.start(&kind, out);
            self.blocks[block].1 = place;
            place
        };
        self.announce(out);
        let mut events = Events {
            sequence: &mut self.sequence,
            out,
        };
        match place {
            Place::Nowhere => {}
            Place::Part { item, part: index } => {
                let Item {
                    id,
                    kind: ItemKind::Message(parts),
                    ..
                } = &mut self.items[item]
                else {
                    return;
                };
                let part = &mut parts[index];
                let delta = part.push(text);
                let logprobs = if part.refusal {
                    Vec::new()
                } else {
                    std::mem::take(&mut self.logprobs)
                };
                let name = if part.refusal {
                    "response.refusal.delta"
                } else {
                    "response.output_text.delta"
                };
                events.write(name, |event| {
                    event.string("item_id", id);
                    event.plain("output_index", item);
                    event.plain("content_index", index);
                    event.plain("delta", &delta);
                    if !part.refusal {
                        write_logprobs(event, &logprobs);
                    }
                });
                part.logprobs.extend(logprobs);
            }
            Place::Item(index) => {
                let item = &mut self.items[index];
                let id = &item.id;
                match &mut item.kind {
                    ItemKind::Message(_) => {}
                    ItemKind::Reasoning { text: thought, .. } => {
                        let first = thought.is_empty();
                        let delta = thought.push(text);
                        if first {
                            events.write("response.reasoning_summary_part.added", |event| {
                                event.string("item_id", id);
                                event.plain("output_index", index);
                                event.plain("summary_index", 0);
                                event.object("part", |part| {
                                    part.string("type", "summary_text");
                                    part.string("text", "");
                                });
                            });
                        }
                        events.write("response.reasoning_summary_text.delta", |event| {
                            event.string("item_id", id);
                            event.plain("output_index", index);
                            event.plain("summary_index", 0);
                            event.plain("delta", &delta);
                        });
                    }
                    ItemKind::Call {
                        kind, arguments, ..
                    } => {
                        let delta = arguments.push(text);
                        let name = match kind {
                            ToolKind::Custom => "response.custom_tool_call_input.delta",
                            _ => "response.function_call_arguments.delta",
                        };
                        events.write(name, |event| {
                            event.string("item_id", id);
                            event.plain("output_index", index);
                            event.plain("delta", &delta);
                        });
                    }
                    ItemKind::Image { data, .. } => {
                        data.push(text);
                    }
                }
            }
        }
    }

    fn takes_more(&self, place: Place) -> bool {
        match place {
            Place::Nowhere => true,
            Place::Item(index) => self.items[index].open,
            Place::Part { item, part } => match &self.items[item].kind {
                ItemKind::Message(parts) => !parts[part].done,
                _ => false,
            },
        }
    }

    fn cite(&mut self, block: usize, citation: &Citation, out: &mut BytesMut) {
        let Some((_, Place::Part { item, part: index })) = self.blocks.get(block) else {
            return;
        };
        let (item, index) = (*item, *index);
        let Item {
            id,
            kind: ItemKind::Message(parts),
            ..
        } = &mut self.items[item]
        else {
            return;
        };
        let part = &mut parts[index];
        let length = part.characters;
        let number = part.citations.len();
        let mut events = Events {
            sequence: &mut self.sequence,
            out,
        };
        events.write("response.output_text.annotation.added", |event| {
            event.string("item_id", id);
            event.plain("output_index", item);
            event.plain("content_index", index);
            event.plain("annotation_index", number);
            event.object("annotation", |object| {
                write_citation(object, citation, length);
            });
        });
        part.citations.push(citation.clone());
    }

    /// Ends the parts of a message.
    fn close_parts(&mut self, index: usize, out: &mut BytesMut) {
        let logprobs = &mut self.logprobs;
        let ItemKind::Message(parts) = &mut self.items[index].kind else {
            return;
        };
        let mut ended = Vec::new();
        for (at, part) in parts.iter_mut().enumerate().filter(|(_, part)| !part.done) {
            part.done = true;
            if !part.refusal {
                part.logprobs.append(logprobs);
            }
            ended.push(at);
        }
        let mut events = Events {
            sequence: &mut self.sequence,
            out,
        };
        let item = &self.items[index];
        if let ItemKind::Message(parts) = &item.kind {
            for at in ended {
                events.part_done((index, item), at, &parts[at]);
            }
        }
    }

    /// Ends an item, if it has not ended.
    fn close(&mut self, index: usize, out: &mut BytesMut) {
        if !self.items[index].open {
            return;
        }
        self.announce(out);
        self.close_parts(index, out);
        self.items[index].open = false;
        let mut events = Events {
            sequence: &mut self.sequence,
            out,
        };
        events.done(index, &self.items[index]);
    }

    fn close_all(&mut self, reason: Option<&FinishReason>, out: &mut BytesMut) {
        let cut_short = reason.is_some_and(super::is_cut_short);
        if let Some(last) = self.items.last_mut().filter(|item| cut_short && item.open) {
            last.incomplete = true;
        }
        for index in 0..self.items.len() {
            self.close(index, out);
        }
    }
}

impl StreamEncoder for Encoder {
    fn encode(&mut self, frame: Option<&Frame>, events: &[StreamEvent], out: &mut BytesMut) {
        if self.over {
            return;
        }
        if let Some(frame) = frame {
            self.carried = true;
            self.sequence += u64::from(!frame.data.is_empty());
            if let Some(StreamEvent::Started { id, model, created }) = events.first() {
                self.head = Some(Head::new(&self.asked, id, model, *created));
            }
            frame.write(self.model.as_deref(), out);
            return;
        }
        // They are told with the text, which comes before them.
        for event in events {
            if let StreamEvent::Logprobs { choice: 0, tokens } = event {
                self.logprobs.extend_from_slice(tokens);
            }
        }
        for event in events {
            self.make(event, out);
        }
    }

    /// The `error` event, in both of its forms, the documented one and the one that is sent, and the response's end.
    fn encode_error(&mut self, error: &ApiError, out: &mut BytesMut) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let (kind, default) = error_words(error.kind);
        let code = error.code.as_deref().or(default);
        let members = |object: &mut ObjectWriter<'_>| {
            match code {
                Some(code) => object.string("code", code),
                None => object.null("code"),
            }
            object.string("message", &error.message);
            match &error.param {
                Some(param) => object.string("param", param),
                None => object.null("param"),
            }
        };
        self.events(out).write("error", |event| {
            members(event);
            event.object("error", |inner| {
                inner.string("type", kind);
                members(inner);
            });
        });
        let Some(head) = self.head.take() else {
            return;
        };
        for item in &mut self.items {
            item.incomplete |= std::mem::take(&mut item.open);
        }
        let items = std::mem::take(&mut self.items);
        let usage = self.usage;
        let status = Status::Failed {
            code: failure_code(error.kind, code),
            message: &error.message,
        };
        self.events(out).write("response.failed", |event| {
            event.object("response", |object| {
                head.write(object, status, &items, usage.as_ref());
            });
        });
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if std::mem::replace(&mut self.over, true) || self.carried {
            return;
        }
        if self.head.is_none() {
            self.begin(&Text::default(), &Text::default(), None, out);
        }
        self.close_all(None, out);
        let Some(head) = self.head.take() else {
            return;
        };
        let finish = self.finish.take();
        let mut items = std::mem::take(&mut self.items);
        let late = std::mem::take(&mut self.logprobs);
        if let Some(part) = first_text(&mut items) {
            part.logprobs.extend(late);
        }
        let usage = self.usage;
        let name = if finish.as_ref().is_some_and(super::is_cut_short) {
            "response.incomplete"
        } else {
            "response.completed"
        };
        self.events(out).write(name, |event| {
            event.object("response", |object| {
                head.write(
                    object,
                    Status::Ended(finish.as_ref()),
                    &items,
                    usage.as_ref(),
                );
            });
        });
    }
}

/// What the probabilities of tokens belong to, where nothing tells.
fn first_text(items: &mut [Item]) -> Option<&mut Part> {
    let mut parts = items.iter_mut().flat_map(|item| match &mut item.kind {
        ItemKind::Message(parts) => parts.as_mut_slice(),
        _ => &mut [],
    });
    parts.find(|part| !part.refusal)
}

/// The `code` of a response that failed: programs know some words of the protocol's, and else take it for the server's.
fn failure_code(kind: ErrorKind, code: Option<&str>) -> &str {
    match kind {
        ErrorKind::RateLimited => "rate_limit_exceeded",
        ErrorKind::InvalidRequest => "invalid_prompt",
        ErrorKind::ContextLengthExceeded
        | ErrorKind::QuotaExceeded
        | ErrorKind::ContentFiltered => code.unwrap_or("server_error"),
        _ => "server_error",
    }
}
