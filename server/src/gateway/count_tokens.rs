//! How many tokens a request is, as one target is asked for it.

use llm::chat::{ChatRequest, Losses, Protocol};
use llm::codec::Target;
use llm::codecs::anthropic::count_tokens as asking;
use llm::dialects::anthropic::count_tokens::estimate;
use llm::error::ErrorKind;

use super::asked::{Asked, MAX_REPLY_BODY};
use super::attempts::{Call, Outcome, Unanswered};
use crate::recording::trial::Trial;

/// Only Anthropic's protocol has the question. A target that speaks it is asked, for all others there is an estimate,
/// which is told as an emulation.
pub(super) struct CountTokensCall<'a> {
    pub request: &'a ChatRequest,
    pub system_prompt: Option<&'a str>,
}

impl Call for CountTokensCall<'_> {
    type Answer = u64;

    async fn ask(&self, trial: &mut Trial, asked: &Asked<'_>) -> Outcome<u64> {
        let codec = asked.upstream.codec_for(self.request.protocol);
        if codec.protocol() != Protocol::Anthropic {
            return self.estimate(trial);
        }
        let target = Target {
            system_prompt: self.system_prompt,
            ..asked.target()
        };
        let wire = asking::encode_request(self.request, &target).map_err(Unanswered::Unfit)?;
        match asked.send(trial, wire, codec).await {
            Ok(reply) => {
                let body = reply.body.collect(MAX_REPLY_BODY).await?;
                Ok(asking::decode_response(&body)?)
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
        let prompt = self.request.prompt().map_err(Unanswered::Unfit)?;
        let mut losses = Losses::default();
        losses.emulate("count_tokens");
        trial.lost(losses);
        Ok(estimate(prompt))
    }
}
