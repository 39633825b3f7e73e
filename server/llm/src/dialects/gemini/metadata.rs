//! What comes beside a candidate's content.

use crate::chat::{Citation, TokenLogprob};
use crate::json::{Json, ObjectWriter};
use crate::text::Text;

/// A source of a text.
#[derive(Debug)]
pub(super) struct Source<'s> {
    pub citation: &'s Citation,
    /// All of the text.
    pub text: &'s str,
    /// Which part of the content the text is.
    pub part: u32,
}

/// `groundingMetadata`: <https://ai.google.dev/api/generate-content#GroundingMetadata>
pub(super) fn write_sources(sources: &[Source<'_>], candidate: &mut ObjectWriter<'_>) {
    if sources.is_empty() {
        return;
    }
    candidate.object("groundingMetadata", |metadata| {
        metadata.array("groundingChunks", |chunks| {
            for Source { citation, .. } in sources {
                // A page of the web has no place for what it says.
                let kind = if citation.quoted.is_some() {
                    "retrievedContext"
                } else {
                    "web"
                };
                chunks.object(|chunk| {
                    chunk.object(kind, |source| {
                        let fields = [
                            ("uri", &citation.url),
                            ("title", &citation.title),
                            ("text", &citation.quoted),
                        ];
                        for (name, value) in fields {
                            if let Some(value) = value {
                                source.string(name, value);
                            }
                        }
                    });
                });
            }
        });
        if sources.iter().all(|source| source.bytes().is_none()) {
            return;
        }
        metadata.array("groundingSupports", |supports| {
            for (index, source) in sources.iter().enumerate() {
                let Some((start, end)) = source.bytes() else {
                    continue;
                };
                supports.object(|support| {
                    support.object("segment", |segment| {
                        if source.part > 0 {
                            segment.plain("partIndex", source.part);
                        }
                        if start > 0 {
                            segment.plain("startIndex", start);
                        }
                        segment.plain("endIndex", end);
                        segment.string("text", &source.text[start..end]);
                    });
                    support.array("groundingChunkIndices", |indices| {
                        indices.item().plain(index);
                    });
                });
            }
        });
    });
}

impl Source<'_> {
    /// The range in bytes.
    fn bytes(&self) -> Option<(usize, usize)> {
        let (from, to) = self.citation.range?;
        let length = to.checked_sub(from)?;
        let mut borders = self.text.char_indices().map(|(at, _)| at);
        let mut borders = borders.by_ref().chain([self.text.len()]);
        let start = borders.nth(from as usize)?;
        let end = match length {
            0 => start,
            more => borders.nth(more as usize - 1)?,
        };
        Some((start, end))
    }
}

/// `logprobsResult`: <https://ai.google.dev/api/generate-content#LogprobsResult>
pub(super) fn write_logprobs(tokens: &[TokenLogprob], candidate: &mut ObjectWriter<'_>) {
    if tokens.is_empty() {
        return;
    }
    candidate.object("logprobsResult", |result| {
        if tokens.iter().any(|token| !token.top.is_empty()) {
            result.array("topCandidates", |all| {
                for token in tokens {
                    all.object(|place| {
                        place.array("candidates", |top| {
                            for (token, logprob) in &token.top {
                                top.object(|one| write_token(token, logprob, one));
                            }
                        });
                    });
                }
            });
        }
        result.array("chosenCandidates", |chosen| {
            for token in tokens {
                chosen.object(|one| write_token(&token.token, &token.logprob, one));
            }
        });
    });
}

fn write_token(token: &Text, logprob: &Json, one: &mut ObjectWriter<'_>) {
    one.string("token", token);
    one.json("logProbability", logprob);
}
