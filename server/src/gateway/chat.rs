//! Chat, as it is put to one target.

use std::pin::pin;
use std::sync::Arc;

use llm::ChatCodec;
use llm::chat::{ChatRequest, ChatResponse, Collector, Losses};
use llm::codec::{ReplyForm, Target, WireRequest};

use super::Reply;
use super::asked::{Asked, MAX_REPLY_BODY};
use super::attempts::{Call, Outcome, Unanswered};
use super::events::EventStream;
use crate::recording::trial::Trial;

/// A chat request. Its answer counts once its first event, or all of a reply that is not streamed, is there.
pub(super) struct ChatCall<'a> {
    pub request: &'a ChatRequest,
    /// What the operator wants said after the client's own.
    pub system_prompt: Option<&'a Arc<str>>,
    /// Nothing of the request may be left out.
    pub strict: bool,
}

impl Call for ChatCall<'_> {
    type Answer = Reply;

    async fn ask(&self, trial: &mut Trial, asked: &Asked<'_>) -> Outcome<Reply> {
        let request = self.request;
        let mut events = match asked.in_time(pin!(self.begin(trial, asked))).await? {
            Begun::Whole(response) => return Ok(Reply::of_response(response, request)),
            Begun::Stream(events) => events,
        };
        if request.stream {
            return Ok(Reply::Stream(events));
        }
        let mut collector = Collector::new();
        while let Some(batch) = events.next().await? {
            for event in batch.events() {
                collector.push(event);
            }
        }
        Ok(Reply::Whole(Box::new(collector.finish())))
    }
}

/// As the upstream answers, which need not be as the client wants it.
enum Begun {
    Whole(Box<ChatResponse>),
    /// Its first event is there.
    Stream(Box<EventStream>),
}

/// The request as a target is to get it, before it is known what it may cost.
pub(super) struct Encoded {
    pub wire: WireRequest,
    pub form: ReplyForm,
    pub losses: Losses,
    pub codec: &'static dyn ChatCodec,
}

impl ChatCall<'_> {
    /// # Errors
    /// It cannot be put to this target.
    pub fn encode(&self, asked: &Asked<'_>) -> Outcome<Encoded> {
        let target = Target {
            system_prompt: self.system_prompt.map(|text| &**text),
            ..asked.target()
        };
        let codec = asked.upstream.codec_for(self.request.protocol);
        let mut wire = codec
            .encode_request(self.request, &target)
            .map_err(Unanswered::Unfit)?;
        let form = wire.form;
        let losses = std::mem::take(&mut wire.losses);
        asked.check_losses(&losses, self.strict)?;
        Ok(Encoded {
            wire: asked.shape(wire),
            form,
            losses,
            codec,
        })
    }

    async fn begin(&self, trial: &mut Trial, asked: &Asked<'_>) -> Outcome<Begun> {
        let request = self.request;
        let Encoded {
            wire,
            form,
            losses,
            codec,
        } = self.encode(asked)?;
        let wire = asked.cover_chat(trial, wire, codec, request)?;
        let reply = asked.send(trial, wire, codec).await?;
        trial.lost(losses);
        let Some(framer) = reply.framer() else {
            let body = reply.body.collect(MAX_REPLY_BODY).await?;
            let response = codec.decode_response(request, &form, body)?;
            return Ok(Begun::Whole(Box::new(response)));
        };
        let mut events = EventStream::new(
            asked.secrets(),
            reply.body,
            framer,
            codec.stream_decoder(request, &form),
            form.carried,
        );
        events.wait_for_first().await?;
        Ok(Begun::Stream(Box::new(events)))
    }
}
