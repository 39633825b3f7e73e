//! A whole reply.

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Block, Citation, FinishReason, Protocol, Seal, StreamEvent, TokenLogprob, Usage};
use crate::json::Json;
use crate::text::Text;

/// A reply that is complete.
///
/// Two are equal when they say the same: how one was spelled on the wire (`raw`) does not count.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ChatResponse {
    pub id: Text,
    /// The upstream's name of the model.
    pub model: Text,
    /// Seconds since 1970, where the upstream says.
    pub created: Option<i64>,
    pub choices: Vec<Choice>,
    pub usage: Option<Usage>,
    /// The upstream said more: see [`StreamEvent::Untold`].
    #[serde(default)]
    pub untold: bool,
    /// The upstream's own bytes, unless the reply was collected from a stream or changed.
    pub raw: Option<RawReply>,
}

/// One of the alternatives a client asked for with `n`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Choice {
    pub index: u32,
    pub blocks: Vec<Content>,
    pub logprobs: Vec<TokenLogprob>,
    pub finish: Option<FinishReason>,
}

/// A block with all of its text; never empty, unless it is a tool call or sealed.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Content {
    pub block: Block,
    pub text: Text,
    /// Of a [`Block::Reasoning`].
    pub seal: Option<Seal>,
    /// Of a [`Block::Text`].
    pub citations: Vec<Citation>,
}

impl Content {
    pub fn new(block: Block, text: Text) -> Self {
        Self {
            block,
            text,
            seal: None,
            citations: Vec::new(),
        }
    }
}

/// A reply's original bytes.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RawReply {
    pub protocol: Protocol,
    #[serde(with = "crate::reply::as_text")]
    pub body: Bytes,
    /// Where the model's name stands, quotes included.
    pub(crate) model: Option<Range<usize>>,
}

impl PartialEq for ChatResponse {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.model == other.model
            && self.created == other.created
            && self.choices == other.choices
            && self.usage == other.usage
            && self.untold == other.untold
    }
}

impl ChatResponse {
    /// The same reply with bytes of its own: what it was read from, often a buffer many times its size, can go.
    #[must_use]
    pub fn detached(&self) -> Self {
        // Most texts are pieces of the body, and are pieces of its copy.
        let body = self.raw.as_ref().map(|raw| &raw.body);
        let copied = body.map(|body| (body, Bytes::copy_from_slice(body)));
        let own = |text: &Text| {
            let in_copy = copied.as_ref().and_then(|(old, new)| text.moved(old, new));
            in_copy.unwrap_or_else(|| Text::from(text.as_str()))
        };
        let json = |json: &Json| Json::of_valid(own(json.as_text()));
        let maybe = |text: &Option<Text>| text.as_ref().map(own);
        let content = |content: &Content| Content {
            block: match &content.block {
                Block::ToolCall { id, name, kind } => Block::ToolCall {
                    id: own(id),
                    name: own(name),
                    kind: *kind,
                },
                Block::Media { kind, media_type } => Block::Media {
                    kind: *kind,
                    media_type: own(media_type),
                },
                block @ (Block::Text | Block::Reasoning | Block::Refusal) => block.clone(),
            },
            text: own(&content.text),
            seal: content.seal.as_ref().map(|seal| Seal {
                data: own(&seal.data),
                id: own(&seal.id),
                ..*seal
            }),
            citations: content
                .citations
                .iter()
                .map(|citation| Citation {
                    url: maybe(&citation.url),
                    title: maybe(&citation.title),
                    quoted: maybe(&citation.quoted),
                    ..*citation
                })
                .collect(),
        };
        let logprob = |token: &TokenLogprob| TokenLogprob {
            token: own(&token.token),
            logprob: json(&token.logprob),
            top: token
                .top
                .iter()
                .map(|(text, value)| (own(text), json(value)))
                .collect(),
        };
        let choice = |choice: &Choice| Choice {
            index: choice.index,
            blocks: choice.blocks.iter().map(content).collect(),
            logprobs: choice.logprobs.iter().map(logprob).collect(),
            finish: choice.finish.as_ref().map(|finish| match finish {
                FinishReason::StopSequence(text) => FinishReason::StopSequence(own(text)),
                FinishReason::Other(text) => FinishReason::Other(own(text)),
                finish => finish.clone(),
            }),
        };
        Self {
            id: own(&self.id),
            model: own(&self.model),
            created: self.created,
            choices: self.choices.iter().map(choice).collect(),
            usage: self.usage,
            untold: self.untold,
            raw: self
                .raw
                .as_ref()
                .zip(copied.as_ref())
                .map(|(raw, (_, body))| RawReply {
                    protocol: raw.protocol,
                    body: body.clone(),
                    model: raw.model.clone(),
                }),
        }
    }

    /// The same reply as a stream: `collect(r.events()) == r`.
    pub fn events(&self) -> Vec<StreamEvent> {
        let mut events = vec![StreamEvent::Started {
            id: self.id.clone(),
            model: self.model.clone(),
            created: self.created,
        }];
        // Some protocols begin with what the request took.
        let begun = self.usage.map(|usage| Usage {
            output_tokens: 0,
            reasoning_tokens: 0,
            ..usage
        });
        events.extend(begun.map(StreamEvent::Usage));
        events.extend(self.untold.then_some(StreamEvent::Untold));
        for choice in &self.choices {
            for (index, content) in (0..).zip(&choice.blocks) {
                events.push(StreamEvent::BlockStarted {
                    choice: choice.index,
                    index,
                    block: content.block.clone(),
                });
                if !content.text.is_empty() {
                    events.push(StreamEvent::BlockDelta {
                        choice: choice.index,
                        index,
                        text: content.text.clone(),
                    });
                }
                events.extend(content.seal.iter().map(|seal| StreamEvent::Sealed {
                    choice: choice.index,
                    index,
                    seal: seal.clone(),
                }));
                events.extend(content.citations.iter().map(|citation| StreamEvent::Cited {
                    choice: choice.index,
                    index,
                    citation: citation.clone(),
                }));
            }
            if !choice.logprobs.is_empty() {
                events.push(StreamEvent::Logprobs {
                    choice: choice.index,
                    tokens: choice.logprobs.clone(),
                });
            }
            if let Some(reason) = &choice.finish {
                events.push(StreamEvent::Finished {
                    choice: choice.index,
                    reason: reason.clone(),
                });
            }
        }
        events.extend(self.usage.map(StreamEvent::Usage));
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detached_reply_shares_nothing_with_what_was_read() {
        let read = Bytes::from(br#"HTTP {"id":"a","text":"said"}"#.to_vec());
        let body = read.slice(5..);
        let elsewhere = Text::from("elsewhere");
        let block = Content::new(Block::Text, Text::slice_of(&body, 18..22));
        let mut other = Content::new(Block::Refusal, elsewhere);
        other.seal = Some(Seal {
            protocol: Protocol::OpenAiChat,
            data: Text::slice_of(&read, 0..4),
            id: Text::default(),
            encrypted: false,
        });
        let reply = ChatResponse {
            id: Text::slice_of(&body, 7..8),
            choices: vec![Choice {
                index: 0,
                blocks: vec![block, other],
                logprobs: Vec::new(),
                finish: None,
            }],
            raw: Some(RawReply {
                protocol: Protocol::OpenAiChat,
                body,
                model: None,
            }),
            ..ChatResponse::default()
        };
        let detached = reply.detached();
        assert_eq!(detached, reply);
        assert_eq!(detached.choices[0].blocks[0].text.as_str(), "said");
        let copy = detached.raw.as_ref().unwrap().body.clone();
        assert_eq!(copy, reply.raw.as_ref().unwrap().body);
        // The text is a piece of the copy.
        let text = detached.choices[0].blocks[0].text.as_bytes().clone();
        assert_eq!(copy.slice_ref(&text), "said");
        drop(reply);
        assert!(read.is_unique());
    }
}
