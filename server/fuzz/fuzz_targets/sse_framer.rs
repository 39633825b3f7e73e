//! However a stream is cut, it frames alike.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use llm::{Frame, SseFramer};

fuzz_target!(|input: (&[u8], Vec<u16>)| {
    let (stream, cuts) = input;
    let payload = |frames: Vec<Frame>| -> Vec<_> {
        let with_data = frames.into_iter().filter(|frame| !frame.data.is_empty());
        with_data.map(|frame| (frame.data, frame.event)).collect()
    };
    let whole = payload(frames([stream]));
    let mut chunks = Vec::new();
    let mut rest = stream;
    for cut in cuts {
        let (chunk, more) = rest.split_at(usize::from(cut).min(rest.len()));
        chunks.push(chunk);
        rest = more;
    }
    chunks.push(rest);
    assert_eq!(payload(frames(chunks)), whole);
});

fn frames<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Frame> {
    let mut framer = SseFramer::new();
    let mut frames = Vec::new();
    for chunk in chunks {
        framer.push(Bytes::copy_from_slice(chunk));
        while let Some(frame) = framer.next().expect("below the limit") {
            frames.push(frame);
        }
    }
    frames.extend(framer.finish());
    frames
}
