//! How events are written, each with its number.

use bytes::BytesMut;

use super::output::{Item, ItemKind, Part};
use crate::chat::ToolKind;
use crate::json::{ObjectWriter, append_object};
use crate::wire::openai_responses::write_logprobs;

/// Events on their way out.
pub(super) struct Events<'a> {
    pub sequence: &'a mut u64,
    pub out: &'a mut BytesMut,
}

impl Events<'_> {
    pub fn write(&mut self, name: &str, write: impl FnOnce(&mut ObjectWriter<'_>)) {
        self.out.extend_from_slice(b"event: ");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\ndata: ");
        let number = *self.sequence;
        append_object(self.out, |event| {
            event.string("type", name);
            event.plain("sequence_number", number);
            write(event);
        });
        self.out.extend_from_slice(b"\n\n");
        *self.sequence += 1;
    }

    /// An event of an item.
    fn of_item(
        &mut self,
        name: &str,
        (index, item): (usize, &Item),
        write: impl FnOnce(&mut ObjectWriter<'_>),
    ) {
        self.write(name, |event| {
            event.string("item_id", &item.id);
            event.plain("output_index", index);
            write(event);
        });
    }

    pub fn added(&mut self, index: usize, item: &Item) {
        self.write("response.output_item.added", |event| {
            event.plain("output_index", index);
            event.object("item", |object| item.write(object));
        });
    }

    /// The end of a message's part.
    pub fn part_done(&mut self, at: (usize, &Item), index: usize, part: &Part) {
        let (name, member) = if part.refusal {
            ("response.refusal.done", "refusal")
        } else {
            ("response.output_text.done", "text")
        };
        self.of_item(name, at, |event| {
            event.plain("content_index", index);
            event.plain(member, &part.text);
            if !part.refusal {
                write_logprobs(event, &part.logprobs);
            }
        });
        self.of_item("response.content_part.done", at, |event| {
            event.plain("content_index", index);
            event.object("part", |object| part.write(object));
        });
    }

    /// The end of an item, and of what it consists of.
    pub fn done(&mut self, index: usize, item: &Item) {
        let at = (index, item);
        match &item.kind {
            ItemKind::Message(_) | ItemKind::Image { .. } => {}
            ItemKind::Reasoning { text, .. } => {
                if !text.is_empty() {
                    self.of_item("response.reasoning_summary_text.done", at, |event| {
                        event.plain("summary_index", 0);
                        event.plain("text", text);
                    });
                    self.of_item("response.reasoning_summary_part.done", at, |event| {
                        event.plain("summary_index", 0);
                        event.object("part", |part| {
                            part.string("type", "summary_text");
                            part.plain("text", text);
                        });
                    });
                }
            }
            ItemKind::Call {
                name,
                kind,
                arguments,
                ..
            } => {
                if *kind == ToolKind::Custom {
                    self.of_item("response.custom_tool_call_input.done", at, |event| {
                        event.plain("input", arguments);
                    });
                } else {
                    self.of_item("response.function_call_arguments.done", at, |event| {
                        event.string("name", name);
                        event.plain("arguments", arguments);
                    });
                }
            }
        }
        self.write("response.output_item.done", |event| {
            event.plain("output_index", index);
            event.object("item", |object| item.write(object));
        });
    }
}
