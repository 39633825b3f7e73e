//! How many tokens a request is, as one target is asked for it.

use bytes::Bytes;
use llm::chat::{ChatRequest, Losses, Protocol};
use llm::codec::Target;
use llm::codec::WireRequest;
use llm::codecs::{anthropic, gemini};
use llm::dialects::OwnPrompt;
use llm::dialects::anthropic::count_tokens::estimate;
use llm::error::{ApiError, ErrorKind};

use super::asked::{Asked, MAX_REPLY_BODY};
use super::attempts::{Call, Outcome, Unanswered};
use super::covered::Covered;
use crate::recording::trial::Trial;

/// Two protocols have the question. A target that speaks the client's is asked, for all others there is an estimate,
/// which is told as an emulation.
pub(super) struct CountTokensCall<'a> {
    pub request: &'a ChatRequest,
    /// What the operator wants said after the client's own.
    pub system_prompt: Option<&'a str>,
}

/// How a protocol asks, and answers.
struct Question {
    encode: fn(&ChatRequest, &Target<'_>) -> Result<WireRequest, ApiError>,
    decode: fn(&Bytes) -> Result<u64, ApiError>,
}

impl Question {
    fn of(protocol: Protocol) -> Option<Self> {
        Some(match protocol {
            Protocol::Anthropic => Self {
                encode: anthropic::count_tokens::encode_request,
                decode: anthropic::count_tokens::decode_response,
            },
            Protocol::Gemini => Self {
                encode: gemini::count_tokens::encode_request,
                decode: gemini::count_tokens::decode_response,
            },
            _ => return None,
        })
    }
}

impl Call for CountTokensCall<'_> {
    type Answer = u64;

    async fn ask(&self, trial: &mut Trial, asked: &Asked<'_>) -> Outcome<u64> {
        let codec = asked.upstream.codec_for(self.request.protocol);
        let same = codec.protocol() == self.request.protocol;
        let Some(question) = Question::of(codec.protocol()).filter(|_| same) else {
            return self.estimate(trial);
        };
        let target = Target {
            system_prompt: self.system_prompt,
            ..asked.target()
        };
        let wire = (question.encode)(self.request, &target).map_err(Unanswered::Unfit)?;
        match asked.send(trial, Covered::free(wire), codec).await {
            Ok(reply) => {
                let body = reply.body.collect(MAX_REPLY_BODY).await?;
                Ok((question.decode)(&body)?)
            }
            // A server that speaks the protocol need not have all of it.
            Err(Unanswered::Failed(error))
                if matches!(
                    error.kind,
                    ErrorKind::NotFound | ErrorKind::MethodNotAllowed
                ) =>
            {
                self.estimate(trial)
            }
            Err(failure) => Err(failure),
        }
    }
}

impl CountTokensCall<'_> {
    fn estimate(&self, trial: &mut Trial) -> Outcome<u64> {
        // For counting it does not matter where it is said.
        let said = self.system_prompt.map(OwnPrompt::After);
        let told = said.map(|own| self.request.with_own_prompt(own));
        let told = told.transpose().map_err(Unanswered::Unfit)?;
        let request = told.as_ref().unwrap_or(self.request);
        let prompt = request.prompt().map_err(Unanswered::Unfit)?;
        let mut losses = Losses::default();
        losses.emulate("count_tokens");
        trial.lost(losses);
        Ok(estimate(prompt))
    }
}
