//! A reply from nowhere never panics, and what is read of it can be told.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use llm::codecs::ollama::Ollama;
use llm::{Framer, NdjsonFramer};

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    let read = fuzz::reply(&Ollama, Framer::Ndjson(NdjsonFramer::new()), &bytes);
    if let Some(events) = read.events {
        fuzz::assert_whole(&events);
    }
});
