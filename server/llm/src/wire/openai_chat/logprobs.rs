//! `logprobs`: <https://platform.openai.com/docs/api-reference/chat/object#chat-object-choices-logprobs>

use bytes::Bytes;

use crate::chat::TokenLogprob;
use crate::json::{Json, Node, ObjectWriter};
use crate::text::Text;

/// The tokens of a choice's `logprobs`, those of a refusal included; what is no token is passed over.
pub(crate) fn read_logprobs(value: &Bytes) -> Vec<TokenLogprob> {
    let Ok(logprobs) = Node::parse(value) else {
        return Vec::new();
    };
    let mut tokens = Vec::new();
    for key in ["content", "refusal"] {
        let items = logprobs.get(key).and_then(|items| items.array().ok());
        tokens.extend(items.unwrap_or_default().iter().filter_map(token));
    }
    tokens
}

fn token(item: &Node<'_>) -> Option<TokenLogprob> {
    let (token, logprob) = pair(item)?;
    let top = item.get("top_logprobs").and_then(|top| top.array().ok());
    Some(TokenLogprob {
        token,
        logprob,
        top: top.unwrap_or_default().iter().filter_map(pair).collect(),
    })
}

fn pair(item: &Node<'_>) -> Option<(Text, Json)> {
    Some((
        item.get("token")?.text().ok()?,
        item.get("logprob")?.number().ok()?,
    ))
}

/// Writes `logprobs`.
pub(crate) fn write_logprobs(object: &mut ObjectWriter<'_>, tokens: &[TokenLogprob]) {
    object.array("content", |list| {
        for token in tokens {
            list.object(|item| {
                write_pair(item, &token.token, &token.logprob);
                item.array("top_logprobs", |top| {
                    for (token, logprob) in &token.top {
                        top.object(|item| write_pair(item, token, logprob));
                    }
                });
            });
        }
    });
    object.null("refusal");
}

fn write_pair(item: &mut ObjectWriter<'_>, token: &Text, logprob: &Json) {
    item.string("token", token);
    item.json("logprob", logprob);
    // A token that is a part of a character reads as U+FFFD: its bytes are not known.
    if token.contains(char::REPLACEMENT_CHARACTER) {
        item.null("bytes");
    } else {
        item.array("bytes", |bytes| {
            for byte in token.as_bytes() {
                bytes.item().plain(byte);
            }
        });
    }
}
