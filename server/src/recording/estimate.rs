//! What a request consumed whose upstream never came to say so: the client left before, or the stream broke.
//!
//! A token is taken for four bytes of text, rounded up, which is what tokenizers make of English on average.
//! Input is the request's body (but for long runs without a space, which are images and files: each counts
//! as [`MEDIA_TOKENS`]), output the text that was streamed since the upstream last told its usage.

use llm::chat::Usage;
use memchr::memchr;

const BYTES_PER_TOKEN: u64 = 4;
/// What an image costs with most models, roughly.
const MEDIA_TOKENS: u64 = 1_000;
/// A string of JSON that is longer may be a file.
const LONG: usize = 8 << 10;
/// Text has a space by then.
const LOOKED_AT: usize = 1 << 10;

/// The bytes of a body that count.
pub(super) fn text_bytes(body: &[u8]) -> u64 {
    let mut rest = body;
    let mut media = 0;
    let mut left_out = 0;
    while rest.len() > LONG {
        let end = memchr(b'"', rest).unwrap_or(rest.len());
        if end > LONG && is_file(&rest[..end]) {
            media += 1;
            left_out += end as u64;
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    body.len() as u64 - left_out + media * MEDIA_TOKENS * BYTES_PER_TOKEN
}

fn is_file(run: &[u8]) -> bool {
    let start = &run[..LOOKED_AT.min(run.len())];
    !start.iter().any(|&byte| byte == b' ' || byte == b'\\')
}

/// The usage that the upstream told, if it did, and what came after that.
pub(super) fn usage(told: Option<Usage>, body: u64, streamed: u64) -> Usage {
    let output = streamed.div_ceil(BYTES_PER_TOKEN);
    match told {
        Some(told) => Usage {
            output_tokens: told.output_tokens.saturating_add(output),
            ..told
        },
        None => Usage {
            input_tokens: body.div_ceil(BYTES_PER_TOKEN),
            output_tokens: output,
            ..Usage::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_counts_and_files_do_not() {
        let text = format!(r#"{{"content":"{}"}}"#, "some words ".repeat(5_000));
        assert_eq!(text_bytes(text.as_bytes()), text.len() as u64);
        let file = "QUJD".repeat(1 << 20);
        let body = format!(r#"{{"url":"data:image/png;base64,{file}","text":"and words"}}"#);
        let counted = text_bytes(body.as_bytes());
        assert!((4_000..4_200).contains(&counted), "{counted}");
        assert_eq!(text_bytes(b""), 0);
    }

    #[test]
    fn what_was_told_stands() {
        let told = Usage {
            input_tokens: 100,
            cached_tokens: 90,
            output_tokens: 1,
            ..Usage::default()
        };
        let estimate = usage(Some(told), 4_000, 9);
        assert_eq!((estimate.input_tokens, estimate.cached_tokens), (100, 90));
        assert_eq!(estimate.output_tokens, 4);
        assert_eq!(usage(None, 41, 0).input_tokens, 11);
    }
}
