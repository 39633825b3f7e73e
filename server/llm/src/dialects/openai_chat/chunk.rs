//! Chunks: what each says again, around what it says anew.

use bytes::BytesMut;

use crate::chat::{ChatRequest, Stamp, TokenLogprob, Usage};
use crate::json::{ObjectWriter, Writer};
use crate::wire::openai_chat::{write_logprobs, write_usage};

/// Writes `chat.completion.chunk` events.
#[derive(Debug)]
pub(super) struct Chunks {
    stamp: Stamp,
    include_usage: bool,
    /// From `data: ` to the bracket that opens the choices.
    head: Vec<u8>,
    /// Where JSON is put together.
    scratch: Vec<u8>,
}

impl Chunks {
    pub(super) fn new(request: &ChatRequest) -> Self {
        let mut chunks = Self {
            stamp: request.stamp,
            include_usage: request.include_usage,
            head: Vec::new(),
            scratch: Vec::with_capacity(256),
        };
        chunks.begin("", b"\"\"", None);
        chunks
    }

    /// Says what all chunks say; the model's name is JSON.
    pub(super) fn begin(&mut self, id: &str, model: &[u8], created: Option<i64>) {
        self.head.clear();
        self.head.extend_from_slice(b"data: {\"id\":");
        if id.is_empty() {
            Writer::new(&mut self.head).string(&self.stamp.id("chatcmpl-"));
        } else {
            Writer::new(&mut self.head).string(id);
        }
        self.head
            .extend_from_slice(b",\"object\":\"chat.completion.chunk\",\"created\":");
        Writer::new(&mut self.head).plain(created.unwrap_or(self.stamp.at));
        self.head.extend_from_slice(b",\"model\":");
        self.head.extend_from_slice(model);
        self.head.extend_from_slice(b",\"choices\":[");
    }

    /// A chunk that says more of a choice.
    pub(super) fn delta(
        &mut self,
        choice: u32,
        out: &mut BytesMut,
        write: impl FnOnce(&mut ObjectWriter<'_>),
    ) {
        self.choice(choice, out, |object| {
            object.object("delta", write);
            object.null("logprobs");
            object.null("finish_reason");
        });
    }

    pub(super) fn logprobs(&mut self, choice: u32, tokens: &[TokenLogprob], out: &mut BytesMut) {
        self.choice(choice, out, |object| {
            object.object("delta", |_| {});
            object.object("logprobs", |logprobs| write_logprobs(logprobs, tokens));
            object.null("finish_reason");
        });
    }

    pub(super) fn finish(&mut self, choice: u32, word: &str, out: &mut BytesMut) {
        self.choice(choice, out, |object| {
            object.object("delta", |_| {});
            object.null("logprobs");
            object.string("finish_reason", word);
        });
    }

    /// The last chunk, which has no choices.
    pub(super) fn usage(&mut self, usage: &Usage, out: &mut BytesMut) {
        self.scratch.clear();
        Writer::new(&mut self.scratch).object(|object| write_usage(object, usage));
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"],\"usage\":");
        out.extend_from_slice(&self.scratch);
        out.extend_from_slice(b"}\n\n");
    }

    /// What makes the reply this one.
    pub(super) fn stamp(&self) -> Stamp {
        self.stamp
    }

    fn choice(
        &mut self,
        choice: u32,
        out: &mut BytesMut,
        write: impl FnOnce(&mut ObjectWriter<'_>),
    ) {
        self.scratch.clear();
        Writer::new(&mut self.scratch).object(|object| {
            object.plain("index", choice);
            write(object);
        });
        out.extend_from_slice(&self.head);
        out.extend_from_slice(&self.scratch);
        let tail: &[u8] = if self.include_usage {
            b"],\"usage\":null}\n\n"
        } else {
            b"]}\n\n"
        };
        out.extend_from_slice(tail);
    }
}
