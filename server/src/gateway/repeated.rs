//! Answers beside chat that may have been given before.

use std::sync::Arc;

use llm::error::ApiError;

use super::attempts::{self, Call};
use super::context::Context;
use super::facts::Asking;
use super::{Gateway, moment};
use crate::cache::{self, Question, Repeatable, Slot};

impl Gateway {
    /// The answer that the cache has, or else the first target's.
    pub(super) async fn again_or_first<C: Call<Answer: Repeatable>>(
        &self,
        context: &mut Context,
        asking: &Asking<'_>,
        request: cache::Request<'_>,
        call: &C,
    ) -> Result<C::Answer, ApiError> {
        let policies = Arc::clone(&context.policies);
        let question = Question {
            caller: &context.caller,
            request,
            provider: asking.terms.provider,
            strict: asking.terms.strict,
            headers: asking.terms.headers,
            client_key: context.client_key.as_deref(),
            cut_at: None,
        };
        let found = policies.cache.find(&question, context.give_up()).await?;
        context.looked_up(&found);
        if let Some(answer) = found.hit.and_then(|hit| C::Answer::of(hit.response)) {
            return Ok(answer);
        }
        let plan = asking.plan(context, moment::now())?;
        let answer = match attempts::first_answer(self, context, plan, call).await {
            Ok(answer) => answer,
            Err(error) => {
                found.slot.into_iter().for_each(Slot::failed);
                return Err(error);
            }
        };
        if let Some(mut slot) = found.slot {
            context.answers(&mut slot);
            slot.whole(&answer);
        }
        Ok(answer)
    }
}
