//! What fuzz targets of several protocols have in common.

use bytes::Bytes;
use llm::chat::{ChatRequest, ChatResponse, StreamEvent, collect};
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::{ChatCodec, ChatDialect, Framer, Incoming, ReplyForm};

/// What was read of a reply from nowhere.
pub struct Reply {
    pub response: Option<ChatResponse>,
    /// Of a stream that came to its proper end.
    pub events: Option<Vec<StreamEvent>>,
}

/// Reads bytes as a reply in one piece and as a stream. Neither panics; what is understood can be told to a client, and
/// a stream begins before anything else.
pub fn reply(codec: &impl ChatCodec, framer: Framer, bytes: &Bytes) -> Reply {
    let body = Bytes::from_static(br#"{"model":"m","messages":[],"stream":true}"#);
    let request = Dialect
        .decode_request(Incoming::of(body))
        .expect("a request");
    let form = ReplyForm::default();
    let response = codec.decode_response(&request, &form, bytes.clone()).ok();
    if let Some(response) = &response {
        assert_eq!(collect(&response.events()), *response);
        let _ = Dialect.encode_response(&request, response);
    }
    let events = stream(codec, &request, framer, bytes.clone());
    Reply { response, events }
}

/// That all of a reply is there, and the same however often it is told.
pub fn assert_whole(events: &[StreamEvent]) {
    let whole = collect(events);
    assert!(whole.choices[0].finish.is_some());
    assert_eq!(collect(&whole.events()), whole);
}

fn stream(
    codec: &impl ChatCodec,
    request: &ChatRequest,
    mut framer: Framer,
    bytes: Bytes,
) -> Option<Vec<StreamEvent>> {
    let mut decoder = codec.stream_decoder(request, &ReplyForm::default());
    let mut events = Vec::new();
    framer.push(bytes);
    while let Some(mut frame) = framer
        .next()
        .expect("below the limit")
        .or_else(|| framer.finish())
    {
        decoder.decode(&mut frame, &mut events).ok()?;
    }
    decoder.finish(&mut events).ok()?;
    assert!(matches!(events[0], StreamEvent::Started { .. }));
    Some(events)
}
