//! One request's way there and back, as the gateway goes it.

use bytes::{Bytes, BytesMut};
use llm::chat::{ChatRequest, Stamp};
use llm::{
    ApiError, Framer, Incoming, NdjsonFramer, ReplyForm, SseFramer, StreamDecoder, StreamEncoder,
    Target, WireRequest,
};
use serde_json::Value;

use crate::protocols::{Client, Framing, Upstream};

/// The client's name of the model.
pub const MODEL: &str = "assistant";

pub fn request(client: &Client, body: &Value, stream: bool) -> Result<ChatRequest, ApiError> {
    let headers = http::HeaderMap::new();
    let mut body = body.clone();
    let stamp = Stamp {
        id: u128::from(body.to_string().len() as u64),
        at: 1_700_000_000,
    };
    let by_path = client.name() == "gemini";
    if stream && !by_path {
        body["stream"] = true.into();
        if client.name() == "openai_chat" {
            body["stream_options"] = serde_json::json!({"include_usage": true});
        }
    }
    let mut incoming = Incoming::new(Bytes::from(body.to_string()), &headers, stamp);
    if by_path {
        incoming.model = Some(MODEL);
        incoming.stream = Some(stream);
    }
    client.dialect.decode_request(incoming)
}

pub fn sent(upstream: &Upstream, request: &ChatRequest) -> Result<WireRequest, ApiError> {
    upstream
        .codec
        .encode_request(request, &Target::new(upstream.model))
}

/// The body of a whole reply, as the client gets it.
pub fn whole(
    client: &Client,
    upstream: &Upstream,
    request: &ChatRequest,
    body: &Value,
) -> Result<Value, String> {
    let form = sent(upstream, request).map_err(|error| error.message)?.form;
    let body = Bytes::from(body.to_string());
    let told = match upstream.codec.decode_response(request, &form, body) {
        Ok(response) => client.dialect.encode_response(request, &response).concat(),
        Err(error) => client.dialect.encode_error(&error),
    };
    serde_json::from_slice(&told).map_err(|error| format!("the reply is no JSON: {error}"))
}

/// A reply's stream, as the client gets it.
pub fn stream(
    client: &Client,
    upstream: &Upstream,
    request: &ChatRequest,
    bytes: &str,
) -> Result<String, String> {
    let form = sent(upstream, request).map_err(|error| error.message)?.form;
    let mut out = BytesMut::new();
    let mut decoder = upstream.codec.stream_decoder(request, &form);
    let mut encoder = client.dialect.stream_encoder(request);
    let run = run(
        upstream,
        &form,
        bytes,
        &mut *decoder,
        &mut *encoder,
        &mut out,
    );
    if let Err(error) = run {
        encoder.encode_error(&error, &mut out);
        let before = out.len();
        encoder.finish(&mut out);
        if out.len() != before {
            return Err("more follows an error".to_owned());
        }
    }
    String::from_utf8(out.to_vec()).map_err(|_| "the stream is not UTF-8".to_owned())
}

fn run(
    upstream: &Upstream,
    form: &ReplyForm,
    bytes: &str,
    decoder: &mut dyn StreamDecoder,
    encoder: &mut dyn StreamEncoder,
    out: &mut BytesMut,
) -> Result<(), ApiError> {
    let mut framer = match upstream.framing {
        Framing::Lines => Framer::Ndjson(NdjsonFramer::new()),
        _ => Framer::Sse(SseFramer::new()),
    };
    framer.push(Bytes::copy_from_slice(bytes.as_bytes()));
    let mut events = Vec::new();
    loop {
        let next = match framer.next()? {
            Some(frame) => Some(frame),
            None => framer.finish(),
        };
        let Some(mut frame) = next else { break };
        events.clear();
        let read = decoder.decode(&mut frame, &mut events);
        let carried = (form.carried && read.is_ok()).then_some(&frame);
        encoder.encode(carried, &events, out);
        read?;
    }
    events.clear();
    decoder.finish(&mut events)?;
    encoder.encode(None, &events, out);
    encoder.finish(out);
    Ok(())
}
