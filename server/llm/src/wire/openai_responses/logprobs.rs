//! `logprobs`: <https://platform.openai.com/docs/api-reference/responses-streaming/response/output_text/delta>

use crate::chat::TokenLogprob;
use crate::json::{Node, ObjectWriter};

/// Reads an array of them; what is not one is passed over.
pub(crate) fn read_logprobs(node: Option<&Node<'_>>) -> Vec<TokenLogprob> {
    let items = node.and_then(|node| node.array().ok()).unwrap_or_default();
    items.iter().filter_map(read).collect()
}

fn read(item: &Node<'_>) -> Option<TokenLogprob> {
    let pair = |item: &Node<'_>| {
        let token = item.get("token")?.text().ok()?;
        Some((token, item.get("logprob")?.number().ok()?))
    };
    let (token, logprob) = pair(item)?;
    let top = item.get("top_logprobs").and_then(|top| top.array().ok());
    Some(TokenLogprob {
        token,
        logprob,
        top: top.unwrap_or_default().iter().filter_map(pair).collect(),
    })
}

/// Writes the member `logprobs`.
pub(crate) fn write_logprobs(object: &mut ObjectWriter<'_>, tokens: &[TokenLogprob]) {
    object.array("logprobs", |list| {
        for token in tokens {
            list.object(|item| {
                write_token(item, &token.token);
                item.json("logprob", &token.logprob);
                item.array("top_logprobs", |list| {
                    for (token, logprob) in &token.top {
                        list.object(|item| {
                            write_token(item, token);
                            item.json("logprob", logprob);
                        });
                    }
                });
            });
        }
    });
}

fn write_token(item: &mut ObjectWriter<'_>, token: &str) {
    item.string("token", token);
    item.array("bytes", |list| {
        // A token that is a part of a character reads as U+FFFD: its bytes are not known.
        let known = !token.contains(char::REPLACEMENT_CHARACTER);
        for byte in token.bytes().filter(|_| known) {
            list.item().plain(byte);
        }
    });
}
