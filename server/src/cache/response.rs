//! What is given again.

use llm::chat::{ChatResponse, Citation, FinishReason, Usage};
use llm::embeddings::EmbeddingsResponse;
use llm::rerank::RerankResponse;
use serde::{Deserialize, Serialize};

/// What an entry takes beside its texts.
const OVERHEAD: usize = 512;

/// An answer, of whatever endpoint. A chat's stands in the database without its kind, as it did when there were no others.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Response {
    Embeddings { embeddings: EmbeddingsResponse },
    Rerank { rerank: RerankResponse },
    Chat(ChatResponse),
}

/// An answer that can be kept, and taken out again.
pub trait Repeatable: Sized {
    /// All of it is there, and it ended as answers do that are worth giving again.
    fn is_whole(&self) -> bool;

    /// About what it takes in memory.
    fn bytes(&self) -> u64;

    fn usage(&self) -> Option<Usage>;

    /// With bytes of its own: pieces of it are slices of what was read at once, and would keep all of that.
    fn kept(&self) -> Response;

    /// `None`: it answers something else.
    fn of(response: Response) -> Option<Self>;
}

impl Response {
    /// About what it takes in memory.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Chat(response) => response.bytes(),
            Self::Embeddings { embeddings } => embeddings.bytes(),
            Self::Rerank { rerank } => rerank.bytes(),
        }
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        match self {
            Self::Chat(response) => response.usage,
            Self::Embeddings { embeddings } => embeddings.usage,
            Self::Rerank { rerank } => rerank.usage,
        }
    }
}

/// About what a citation takes in memory.
pub(super) fn citation_bytes(citation: &Citation) -> usize {
    let texts = [&citation.url, &citation.title, &citation.quoted];
    let texts: usize = texts.into_iter().flatten().map(|text| text.len()).sum();
    256 + texts
}

impl Repeatable for ChatResponse {
    fn is_whole(&self) -> bool {
        let well = |finish: &Option<FinishReason>| {
            matches!(
                finish,
                Some(
                    FinishReason::Stop
                        | FinishReason::StopSequence(_)
                        | FinishReason::Length
                        | FinishReason::ToolCalls
                )
            )
        };
        !self.choices.is_empty() && self.choices.iter().all(|choice| well(&choice.finish))
    }

    fn bytes(&self) -> u64 {
        let raw = self.raw.as_ref().map_or(0, |raw| raw.body.len());
        let contents = self.choices.iter().flat_map(|choice| &choice.blocks);
        let texts: usize = contents
            .map(|content| {
                let seal = content.seal.as_ref().map_or(0, |seal| seal.data.len());
                let cited: usize = content.citations.iter().map(citation_bytes).sum();
                content.text.len() + seal + 256 + cited
            })
            .sum();
        let logprobs = self.choices.iter().flat_map(|choice| &choice.logprobs);
        let logprobs: usize = logprobs.map(|token| 96 * (1 + token.top.len())).sum();
        (raw + texts + logprobs + OVERHEAD) as u64
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn kept(&self) -> Response {
        Response::Chat(self.detached())
    }

    fn of(response: Response) -> Option<Self> {
        match response {
            Response::Chat(response) => Some(response),
            Response::Embeddings { .. } | Response::Rerank { .. } => None,
        }
    }
}

impl Repeatable for EmbeddingsResponse {
    fn is_whole(&self) -> bool {
        EmbeddingsResponse::is_whole(self)
    }

    fn bytes(&self) -> u64 {
        (self.written_len() + OVERHEAD) as u64
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn kept(&self) -> Response {
        let embeddings = self.detached();
        Response::Embeddings { embeddings }
    }

    fn of(response: Response) -> Option<Self> {
        match response {
            Response::Embeddings { embeddings } => Some(embeddings),
            Response::Chat(_) | Response::Rerank { .. } => None,
        }
    }
}

impl Repeatable for RerankResponse {
    fn is_whole(&self) -> bool {
        !self.results.is_empty()
    }

    fn bytes(&self) -> u64 {
        (self.written_len() + OVERHEAD) as u64
    }

    fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn kept(&self) -> Response {
        let rerank = self.detached();
        Response::Rerank { rerank }
    }

    fn of(response: Response) -> Option<Self> {
        match response {
            Response::Rerank { rerank } => Some(rerank),
            Response::Chat(_) | Response::Embeddings { .. } => None,
        }
    }
}
