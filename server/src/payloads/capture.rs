//! What one request and its reply say, until it ends.

use std::sync::Arc;

use bytes::Bytes;
use llm::chat::{Collector, StreamEvent};
use uuid::Uuid;

use super::log::PayloadLog;
use super::rules::Rules;

/// Follows one request that is to be logged.
#[derive(Debug)]
pub struct Capture {
    log: PayloadLog,
    pub(super) rules: Arc<Rules>,
    pub(super) id: Uuid,
    pub(super) at_us: i64,
    pub(super) request: Bytes,
    pub(super) request_bytes: u64,
    pub(super) reply: Captured,
    pub(super) reply_bytes: u64,
    pub(super) reply_cut: bool,
}

/// A reply as far as it has gone out.
#[derive(Debug)]
pub(super) enum Captured {
    Bytes(Vec<u8>),
    /// Put together from its events: what a client makes of them.
    Stream(Box<Collector>, usize),
}

impl Capture {
    /// `request`: its body, empty where that is no text.
    pub(crate) fn new(log: PayloadLog, rules: Arc<Rules>, request: &Bytes) -> Self {
        Self {
            log,
            id: Uuid::nil(),
            at_us: 0,
            request: request.clone(),
            request_bytes: request.len() as u64,
            reply: Captured::Bytes(Vec::new()),
            reply_bytes: 0,
            reply_cut: false,
            rules,
        }
    }

    /// Events that the client gets.
    pub(crate) fn watch(&mut self, events: &[StreamEvent]) {
        if let Captured::Bytes(_) = self.reply {
            self.reply = Captured::Stream(Box::default(), 0);
        }
        let Captured::Stream(collector, length) = &mut self.reply else {
            return;
        };
        for event in events {
            if let StreamEvent::BlockDelta { text, .. } = event {
                if *length + text.len() > self.rules.max_entry {
                    self.reply_cut = true;
                    continue;
                }
                *length += text.len();
            }
            collector.push(event);
        }
    }

    /// Bytes that the client gets.
    pub(crate) fn replied(&mut self, bytes: &[u8]) {
        self.reply_bytes += bytes.len() as u64;
        if let Captured::Bytes(reply) = &mut self.reply {
            let room = self.rules.max_entry.saturating_sub(reply.len());
            self.reply_cut |= bytes.len() > room;
            reply.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// The request has ended. Never waits.
    pub(crate) fn end(mut self, id: Uuid, at_us: i64) {
        (self.id, self.at_us) = (id, at_us);
        let log = self.log.clone();
        log.offer(self);
    }

    /// What it takes in memory, roughly.
    pub(super) fn size(&self) -> usize {
        let reply = match &self.reply {
            Captured::Bytes(bytes) => bytes.len(),
            Captured::Stream(_, length) => *length,
        };
        self.request.len() + reply + size_of::<Self>()
    }
}
