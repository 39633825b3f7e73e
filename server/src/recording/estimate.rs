//! What a request consumed whose upstream never came to say so: the client left before, or the stream broke.
//!
//! A token is taken for four bytes of text, rounded up, which is what tokenizers make of English on average.
//! Input is the request's body (but for long strings without a space, which are images and files: each counts
//! as [`MEDIA_TOKENS`]), output the text that was streamed since the upstream last told its usage.

use llm::chat::Usage;
use memchr::{memchr, memrchr};

const BYTES_PER_TOKEN: u64 = 4;
/// What an image costs with most models, roughly.
const MEDIA_TOKENS: u64 = 1_000;
/// A string of JSON that is longer may be a file.
const LONG: usize = 8 << 10;
/// So much of text is not without a space, an escape or a letter beyond ASCII.
const PROBE: usize = 256;

/// The bytes of a body that count. Looks at a small part of it: a file of interest is longer than the steps.
pub(super) fn text_bytes(body: &[u8]) -> u64 {
    let mut counted = body.len() as u64;
    let mut behind = 0;
    let mut at = 0;
    while at < body.len() {
        let probe = &body[at..body.len().min(at + PROBE)];
        if !is_dense(probe) {
            at += LONG / 2;
            continue;
        }
        let start = memrchr(b'"', &body[behind..at]).map_or(behind, |quote| behind + quote + 1);
        let end = memchr(b'"', &body[at..]).map_or(body.len(), |quote| at + quote);
        if end - start > LONG {
            counted -= (end - start) as u64;
            counted += MEDIA_TOKENS * BYTES_PER_TOKEN;
        }
        behind = end;
        at = (end + 1).max(at + LONG / 2);
    }
    counted
}

fn is_dense(probe: &[u8]) -> bool {
    probe
        .iter()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
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
        let file = format!("\"{}\"", "QUJD".repeat(5_000));
        let many = format!("[{}]", vec![file; 7].join(", "));
        let counted = text_bytes(many.as_bytes());
        assert!((28_000..28_100).contains(&counted), "{counted}");
        let chinese = format!("\"{}\"", "你好".repeat(50_000));
        assert_eq!(text_bytes(chinese.as_bytes()), chinese.len() as u64);
        let short = format!("\"{}\"", "x".repeat(8_000));
        assert_eq!(text_bytes(short.as_bytes()), short.len() as u64);
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
