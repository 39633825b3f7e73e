//! What a choice says, piece by piece.

use bytes::BytesMut;

use super::chunk::Chunks;
use super::message::{finish_word, length, place, signs_call, write_call, write_image};
use crate::chat::{Block, Citation, FinishReason, MediaKind, Seal, ToolKind};
use crate::text::Text;
use crate::wire::openai_chat::{write_citation, write_detail};

/// A choice under way.
#[derive(Debug)]
pub(super) struct Deltas {
    pub(super) index: u32,
    /// The client expects `function_call`.
    function_call: bool,
    /// Whether that was written.
    called_function: bool,
    blocks: Vec<Shape>,
    calls: u32,
    /// Characters of the answer so far.
    characters: u32,
    /// The last thought, for a seal goes with its text.
    thought: (u32, String),
    /// Items of `reasoning_details` so far.
    details: usize,
    /// A seal that belongs to what comes next.
    held: Option<Seal>,
    /// An image that is not complete: its type and base64.
    image: Option<(Text, String)>,
    images: usize,
    /// Sources so far.
    citations: usize,
    /// Audio has begun.
    heard: bool,
}

/// Where a block's text goes.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// From this character of the answer on.
    Text {
        from: u32,
    },
    Reasoning,
    Refusal,
    Image,
    Audio,
    /// Nothing of it can be said.
    Silent,
    Call {
        number: u32,
        kind: ToolKind,
    },
    FunctionCall,
}

impl Deltas {
    pub(super) fn new(index: u32, function_call: bool) -> Self {
        Self {
            index,
            function_call,
            called_function: false,
            blocks: Vec::new(),
            calls: 0,
            characters: 0,
            thought: (0, String::new()),
            details: 0,
            held: None,
            image: None,
            images: 0,
            citations: 0,
            heard: false,
        }
    }

    /// A block begins.
    pub(super) fn start(
        &mut self,
        chunks: &mut Chunks,
        index: u32,
        block: &Block,
        out: &mut BytesMut,
    ) {
        debug_assert_eq!(index as usize, self.blocks.len());
        self.show_image(chunks, out);
        if !matches!(block, Block::ToolCall { .. }) {
            self.release(chunks, out);
        }
        let shape = match block {
            Block::Text => Shape::Text {
                from: self.characters,
            },
            Block::Reasoning => {
                self.thought = (index, String::new());
                Shape::Reasoning
            }
            Block::Refusal => Shape::Refusal,
            Block::Media { kind, media_type } => match kind {
                MediaKind::Image => {
                    self.image = Some((media_type.clone(), String::new()));
                    Shape::Image
                }
                MediaKind::Audio => Shape::Audio,
                MediaKind::Document | MediaKind::Video => Shape::Silent,
            },
            Block::ToolCall { id, name, kind } => self.call(chunks, id, name, *kind, out),
        };
        self.blocks.push(shape);
    }

    fn call(
        &mut self,
        chunks: &mut Chunks,
        id: &Text,
        name: &Text,
        kind: ToolKind,
        out: &mut BytesMut,
    ) -> Shape {
        let legacy = kind == ToolKind::LegacyFunction || self.function_call;
        if legacy && !std::mem::replace(&mut self.called_function, true) {
            self.release(chunks, out);
            chunks.delta(self.index, out, |delta| {
                delta.object("function_call", |call| {
                    call.string("name", name);
                    call.string("arguments", "");
                });
            });
            return Shape::FunctionCall;
        }
        let number = self.calls;
        self.calls += 1;
        let signature = self.held.take();
        chunks.delta(self.index, out, |delta| {
            delta.array("tool_calls", |list| {
                list.object(|call| {
                    call.plain("index", number);
                    write_call(call, kind, id, name, "", signature.as_ref());
                });
            });
        });
        Shape::Call { number, kind }
    }

    /// More of a block.
    pub(super) fn more(
        &mut self,
        chunks: &mut Chunks,
        index: u32,
        text: &Text,
        out: &mut BytesMut,
    ) {
        let Some(shape) = self.blocks.get(index as usize).copied() else {
            return;
        };
        let stamp = chunks.stamp();
        match shape {
            Shape::Text { .. } => {
                self.characters = self.characters.saturating_add(length(text));
                chunks.delta(self.index, out, |delta| delta.string("content", text));
            }
            Shape::Reasoning => {
                if self.thought.0 == index {
                    self.thought.1.push_str(text);
                }
                chunks.delta(self.index, out, |delta| {
                    delta.string("reasoning_content", text);
                });
            }
            Shape::Refusal => {
                chunks.delta(self.index, out, |delta| delta.string("refusal", text));
            }
            Shape::Image => {
                if let Some((_, data)) = &mut self.image {
                    data.push_str(text);
                }
            }
            Shape::Audio => {
                // Clients join what comes again: texts, and even numbers.
                let first = !std::mem::replace(&mut self.heard, true);
                chunks.delta(self.index, out, |delta| {
                    delta.object("audio", |audio| {
                        if first {
                            audio.string("id", &stamp.id("audio_"));
                            audio.plain("expires_at", stamp.at);
                            audio.string("transcript", "");
                        }
                        audio.string("data", text);
                    });
                });
            }
            Shape::Silent => {}
            Shape::Call { number, kind } => chunks.delta(self.index, out, |delta| {
                delta.array("tool_calls", |list| {
                    list.object(|call| {
                        call.plain("index", number);
                        if kind == ToolKind::Custom {
                            call.object("custom", |custom| custom.string("input", text));
                        } else {
                            call.object("function", |function| {
                                function.string("arguments", text);
                            });
                        }
                    });
                });
            }),
            Shape::FunctionCall => chunks.delta(self.index, out, |delta| {
                delta.object("function_call", |call| call.string("arguments", text));
            }),
        }
    }

    /// The seal of a thought.
    pub(super) fn seal(
        &mut self,
        chunks: &mut Chunks,
        index: u32,
        seal: &Seal,
        out: &mut BytesMut,
    ) {
        self.release(chunks, out);
        let text = if self.thought.0 == index {
            std::mem::take(&mut self.thought.1)
        } else {
            String::new()
        };
        if text.is_empty() && signs_call(seal) {
            self.held = Some(seal.clone());
        } else {
            self.detail(chunks, &text, seal, out);
        }
    }

    /// A held seal did not belong to a call.
    fn release(&mut self, chunks: &mut Chunks, out: &mut BytesMut) {
        if let Some(seal) = self.held.take() {
            self.detail(chunks, "", &seal, out);
        }
    }

    fn detail(&mut self, chunks: &mut Chunks, text: &str, seal: &Seal, out: &mut BytesMut) {
        let number = self.details;
        self.details += 1;
        chunks.delta(self.index, out, |delta| {
            delta.array("reasoning_details", |list| {
                list.object(|item| write_detail(item, text, Some(seal), number));
            });
        });
    }

    /// A source of a text.
    pub(super) fn cite(
        &mut self,
        chunks: &mut Chunks,
        index: u32,
        citation: &Citation,
        out: &mut BytesMut,
    ) {
        let Some(Shape::Text { from: start }) = self.blocks.get(index as usize).copied() else {
            return;
        };
        let range = place(citation, start, self.characters);
        let number = self.citations;
        self.citations += 1;
        chunks.delta(self.index, out, |delta| {
            delta.array("annotations", |list| {
                list.object(|item| {
                    // The SDKs join the items of lists by it.
                    item.plain("index", number);
                    write_citation(item, citation, range);
                });
            });
        });
    }

    /// The choice ends.
    pub(super) fn finish(
        &mut self,
        chunks: &mut Chunks,
        reason: &FinishReason,
        out: &mut BytesMut,
    ) {
        self.show_image(chunks, out);
        self.release(chunks, out);
        let word = finish_word(reason, self.called_function);
        chunks.finish(self.index, word, out);
    }

    fn show_image(&mut self, chunks: &mut Chunks, out: &mut BytesMut) {
        if let Some((media_type, data)) = self.image.take() {
            let number = self.images;
            self.images += 1;
            chunks.delta(self.index, out, |delta| {
                delta.array("images", |list| {
                    list.object(|item| write_image(item, &media_type, &data, number));
                });
            });
        }
    }
}
