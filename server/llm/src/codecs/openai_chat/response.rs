//! A whole reply.

use bytes::Bytes;

use super::errors;
use crate::chat::{ChatResponse, Choice, Protocol, RawReply};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::wire::openai_chat::{ReplyScan, ReplyState, scan_reply};

pub(super) fn decode(body: Bytes) -> Result<ChatResponse, ApiError> {
    let mut choices: Vec<Choice> = Vec::with_capacity(1);
    let mut state = ReplyState::default();
    let scan = scan_reply(&body, &mut state, &mut choices).map_err(|error| {
        bad_reply(format!(
            "the upstream's reply is not what it should be: {error}"
        ))
    })?;
    let ReplyScan::Reply(head) = scan else {
        return Err(errors::from_body(&body));
    };
    let Some(started) = head.started.filter(|_| !state.choices.is_empty()) else {
        return Err(bad_reply("the upstream's reply has no choices"));
    };
    choices.sort_by_key(|choice| choice.index);
    Ok(ChatResponse {
        id: started.id,
        model: started.model,
        created: started.created,
        choices,
        usage: head.usage,
        untold: state.is_untold(),
        raw: Some(RawReply {
            protocol: Protocol::OpenAiChat,
            body,
            model: head.model,
        }),
    })
}

fn bad_reply(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::BadReply, ErrorSource::Provider, message)
}
