//! Whatever the borders of the chunks, the lines are the same, and in a row they are the stream.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use llm::{Frame, NdjsonFramer};

fn lines(stream: &[u8], size: usize) -> Vec<Frame> {
    let mut framer = NdjsonFramer::new();
    let mut found = Vec::new();
    for chunk in stream.chunks(size) {
        framer.push(Bytes::copy_from_slice(chunk));
        while let Some(frame) = framer.next().expect("below the limit") {
            found.push(frame);
        }
    }
    found.extend(framer.finish());
    found
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, stream) = input;
    let whole = lines(stream, stream.len().max(1));
    assert_eq!(whole, lines(stream, usize::from(size).max(1)));
    let joined: Vec<u8> = whole.iter().flat_map(|frame| frame.raw.to_vec()).collect();
    assert_eq!(joined.trim_ascii_end(), stream.trim_ascii_end());
});
