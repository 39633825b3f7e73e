//! A form from nowhere never panics, and says the same whatever the borders of its chunks; a renamed model reads as such.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use llm::carried::{Multipart, MultipartHead};

const TYPE: &str = "multipart/form-data; boundary=b";

fn read(form: &[u8], size: usize) -> Option<MultipartHead> {
    let mut multipart = Multipart::new(TYPE).expect("a boundary");
    for chunk in form.chunks(size) {
        multipart.push(chunk).ok()?;
    }
    multipart.finish().ok()?;
    Some(multipart.head().clone())
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, form) = input;
    let size = usize::from(size).max(1);
    let head = read(form, form.len().max(1));
    assert_eq!(head, read(form, size));
    let Some(head) = head else {
        return;
    };
    let chunks: Vec<Bytes> = form.chunks(size).map(Bytes::copy_from_slice).collect();
    let renamed = head.with_model(&chunks, "renamed").concat();
    assert_eq!(
        renamed.len() as u64,
        head.length_with("renamed", form.len() as u64)
    );
    if head.model.is_some() {
        let again = read(&renamed, size).expect("a form as before");
        assert_eq!(again.model.as_deref(), Some("renamed"));
    }
});
