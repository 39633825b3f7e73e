//! A reply as a stream of events, with the upstream's bytes beside them.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use llm::StreamDecoder;
use llm::chat::{ChatResponse, StreamEvent};
use llm::error::ApiError;
use llm::framing::{Frame, Framer, SseFramer};

use super::secrets::Secrets;
use crate::cache::Slot;
use crate::guardrails::{Passed, ReplyGuard};
use crate::recording::Ear;
use crate::transport::ReplyBody;

/// An upstream that sends this much before its first event is let through.
const MAX_HELD: usize = 256;

/// What a reply consists of, as it comes.
#[derive(Debug)]
pub struct EventStream {
    /// What was read ahead.
    ready: VecDeque<Batch>,
    source: Option<Source>,
    /// What comes after `ready`, if it is an error.
    failure: Option<ApiError>,
    /// Where the reply is kept.
    slot: Option<Slot>,
    /// The operator's rules about it.
    guard: Option<Guard>,
    /// What the upstream says is heard before them.
    ear: Option<Ear>,
    /// A rule has ended it before the upstream did.
    cut: bool,
}

/// The rules about a reply.
enum Guard {
    Watching(Box<ReplyGuard>),
    /// The reply is complete; what was held back is on its way.
    Finishing(Finishing),
}

type Finishing = Pin<Box<dyn Future<Output = (Vec<StreamEvent>, Result<(), ApiError>)> + Send>>;

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Watching(guard) => guard.fmt(f),
            Self::Finishing(_) => f.write_str("Finishing"),
        }
    }
}

#[derive(Debug)]
struct Source {
    secrets: Secrets,
    body: ReplyBody,
    reader: Reader,
}

/// Reads what events frames mean.
#[derive(Debug)]
struct Reader {
    framer: Framer,
    /// Whether the frames are in the client's own protocol.
    carried: bool,
    decoder: Box<dyn StreamDecoder>,
    /// The protocol said that the reply is complete.
    said_last: bool,
}

/// Frames that came together, each with the events that it means.
#[derive(Debug, Default)]
pub struct Batch {
    /// Each frame, and where in `events` its own end.
    frames: Vec<(Option<Frame>, usize)>,
    events: Vec<StreamEvent>,
}

impl Batch {
    /// Each frame with its events; events without a frame were made by the gateway.
    pub fn items(&self) -> impl Iterator<Item = (Option<&Frame>, &[StreamEvent])> {
        let mut start = 0;
        self.frames.iter().map(move |(frame, end)| {
            let events = &self.events[start..*end];
            start = *end;
            (frame.as_ref(), events)
        })
    }

    pub fn events(&self) -> &[StreamEvent] {
        &self.events
    }

    fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// What a guard makes of it, frame by frame, written to `passed`; whether that is the end of the reply.
    fn pass(self, guard: &mut ReplyGuard, passed: &mut Self) -> Result<bool, ApiError> {
        let mut start = 0;
        for (frame, end) in self.frames {
            let events = &self.events[start..end];
            start = end;
            let before = passed.events.len();
            match guard.push(events, &mut passed.events) {
                Ok(Passed::Unchanged) => {
                    passed.events.extend_from_slice(events);
                    passed.close(frame);
                }
                rewritten => {
                    if passed.events.len() > before {
                        passed.close(None);
                    }
                    if rewritten? == Passed::Ended {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Closes the frame that the last events belong to.
    fn close(&mut self, frame: Option<Frame>) {
        self.frames.push((frame, self.events.len()));
    }
}

impl EventStream {
    pub(super) fn new(
        secrets: Secrets,
        body: ReplyBody,
        framer: Framer,
        decoder: Box<dyn StreamDecoder>,
        carried: bool,
    ) -> Self {
        Self {
            ready: VecDeque::new(),
            source: Some(Source {
                secrets,
                body,
                reader: Reader {
                    framer,
                    carried,
                    decoder,
                    said_last: false,
                },
            }),
            failure: None,
            slot: None,
            guard: None,
            ear: None,
            cut: false,
        }
    }

    /// A whole reply, unfolded.
    pub(super) fn of_response(response: &ChatResponse) -> Self {
        let mut batch = Batch {
            frames: Vec::new(),
            events: response.events(),
        };
        batch.close(None);
        Self::of_batch(batch)
    }

    /// A stream as it came before, in the client's own protocol.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn of_frames(
        frames: Bytes,
        decoder: Box<dyn StreamDecoder>,
    ) -> Result<Self, ApiError> {
        let mut batch = Batch::default();
        let mut reader = Reader {
            framer: Framer::Sse(SseFramer::new()),
            carried: true,
            decoder,
            said_last: false,
        };
        reader.framer.push(frames);
        reader.decode(&mut batch)?;
        reader.finish(&mut batch)?;
        Ok(Self::of_batch(batch))
    }

    fn of_batch(batch: Batch) -> Self {
        Self {
            ready: VecDeque::from([batch]),
            source: None,
            failure: None,
            slot: None,
            guard: None,
            ear: None,
            cut: false,
        }
    }

    /// Keeps the reply there, once it has come to its proper end.
    pub(super) fn fill(&mut self, slot: Slot) {
        self.slot = Some(slot);
    }

    /// Passes the reply through rules, what was read ahead of it included.
    pub(super) fn guard(&mut self, guard: ReplyGuard, ear: Ear) {
        self.guard = Some(Guard::Watching(Box::new(guard)));
        self.ear = Some(ear);
    }

    /// Whether a rule ended the reply before the upstream did.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Waits until the reply has begun: until its first event, for comments and pings say nothing of
    /// an answer.
    ///
    /// # Errors
    /// It failed before its first event.
    pub(super) async fn wait_for_first(&mut self) -> Result<(), ApiError> {
        let mut held = VecDeque::new();
        while let Some(batch) = self.next().await? {
            let begun = !batch.events().is_empty();
            held.push_back(batch);
            if begun || held.len() >= MAX_HELD {
                break;
            }
        }
        self.ready = held;
        Ok(())
    }

    /// The next batch; `None` at the reply's proper end.
    ///
    /// # Errors
    /// The reply ended otherwise.
    pub async fn next(&mut self) -> Result<Option<Batch>, ApiError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`next`](Self::next).
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Batch>, ApiError>> {
        if self.slot.is_none() && self.guard.is_none() {
            return self.poll_source(cx);
        }
        loop {
            if let Some(Guard::Finishing(finishing)) = &mut self.guard {
                let (events, finished) = ready!(finishing.as_mut().poll(cx));
                // Nothing comes after it: the source says so from now on.
                self.guard = None;
                let mut passed = Batch {
                    frames: Vec::new(),
                    events,
                };
                if !passed.events.is_empty() {
                    passed.close(None);
                }
                return Poll::Ready(match finished {
                    Ok(()) => Ok(Some(passed).filter(|passed| !passed.is_empty())),
                    Err(error) => self.fail(passed, error),
                });
            }
            let next = ready!(self.poll_source(cx));
            if let Some(slot) = &mut self.slot {
                match &next {
                    Ok(Some(batch)) => {
                        for (frame, events) in batch.items() {
                            slot.push(frame.map(|frame| &frame.raw[..]), events);
                        }
                    }
                    Ok(None) => self.slot.take().into_iter().for_each(Slot::complete),
                    Err(_) => self.slot.take().into_iter().for_each(Slot::failed),
                }
            }
            let Some(Guard::Watching(guard)) = &mut self.guard else {
                return Poll::Ready(next);
            };
            if let (Ok(Some(batch)), Some(ear)) = (&next, &self.ear) {
                ear.hear(batch.events());
            }
            let mut passed = Batch::default();
            let checked = match next {
                Ok(Some(batch)) => batch.pass(guard, &mut passed),
                Ok(None) => {
                    if let Some(Guard::Watching(guard)) = self.guard.take() {
                        self.guard = Some(Guard::Finishing(Box::pin(guard.finish())));
                    }
                    continue;
                }
                Err(error) => {
                    let refused = guard.break_off(&mut passed.events).err();
                    if !passed.events.is_empty() {
                        passed.close(None);
                    }
                    Err(refused.unwrap_or(error))
                }
            };
            match checked {
                Ok(false) => {}
                Ok(true) => {
                    self.cut = self.source.is_some();
                    self.stop();
                }
                Err(error) => return Poll::Ready(self.fail(passed, error)),
            }
            // A batch of which all is held back says nothing.
            if !passed.is_empty() {
                return Poll::Ready(Ok(Some(passed)));
            }
        }
    }

    /// The reply ends with an error, after what came before.
    fn fail(&mut self, before: Batch, error: ApiError) -> Result<Option<Batch>, ApiError> {
        self.stop();
        if before.is_empty() {
            return Err(error);
        }
        self.failure = Some(error);
        Ok(Some(before))
    }

    /// Nothing more of the reply is wanted.
    fn stop(&mut self) {
        self.ready.clear();
        self.source = None;
        // Whoever waits for it need not take turns.
        self.slot.take().into_iter().for_each(Slot::failed);
        self.guard = None;
    }

    /// The next batch as it came.
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Batch>, ApiError>> {
        if let Some(batch) = self.ready.pop_front() {
            return Poll::Ready(Ok(Some(batch)));
        }
        if let Some(error) = self.failure.take() {
            return Poll::Ready(Err(error));
        }
        let Some(source) = &mut self.source else {
            return Poll::Ready(Ok(None));
        };
        let Source {
            secrets,
            body,
            reader,
        } = source;
        let mut batch = Batch::default();
        let mut ended = loop {
            match body.poll_chunk(cx) {
                // The protocol has said that this was all: whether the body ends too is the
                // connection's own affair.
                Poll::Pending if reader.said_last => break Ok(true),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(chunk))) => {
                    reader.framer.push(chunk);
                    let decoded = reader.decode(&mut batch);
                    if decoded.is_err() || (!batch.is_empty() && !reader.said_last) {
                        break decoded.map(|()| false);
                    }
                }
                Poll::Ready(Some(Err(error))) if !reader.said_last => break Err(error.into()),
                Poll::Ready(_) => break reader.finish(&mut batch).map(|()| true),
            }
        };
        if let Err(error) = &mut ended {
            secrets.hide(&mut error.message);
        }
        if !matches!(ended, Ok(false))
            && let Some(source) = self.source.take()
            && ended.is_ok()
        {
            // In the usual case its end is on its way, and the connection is worth keeping. After an
            // error, dropping what is left of the body closes it.
            source.body.read_to_end();
        }
        match ended {
            Err(error) if batch.is_empty() => Poll::Ready(Err(error)),
            // What was good before the error reaches the client first.
            Err(error) => {
                self.failure = Some(error);
                Poll::Ready(Ok(Some(batch)))
            }
            Ok(true) if batch.is_empty() => Poll::Ready(Ok(None)),
            Ok(_) => Poll::Ready(Ok(Some(batch))),
        }
    }
}

impl Reader {
    /// Decodes every frame that is complete.
    fn decode(&mut self, batch: &mut Batch) -> Result<(), ApiError> {
        while let Some(frame) = self.framer.next()? {
            self.decode_frame(frame, batch)?;
        }
        Ok(())
    }

    fn decode_frame(&mut self, mut frame: Frame, batch: &mut Batch) -> Result<(), ApiError> {
        let before = batch.events.len();
        let decoded = self.decoder.decode(&mut frame, &mut batch.events);
        if let Err(error) = decoded {
            batch.events.truncate(before);
            return Err(error);
        }
        self.said_last |= frame.marks.last;
        batch.close(self.carried.then_some(frame));
        Ok(())
    }

    /// The body has ended: was that the end of the reply?
    fn finish(&mut self, batch: &mut Batch) -> Result<(), ApiError> {
        if let Some(frame) = self.framer.finish() {
            self.decode_frame(frame, batch)?;
        }
        let before = batch.events.len();
        self.decoder.finish(&mut batch.events)?;
        if batch.events.len() > before {
            batch.close(None);
        }
        Ok(())
    }
}
