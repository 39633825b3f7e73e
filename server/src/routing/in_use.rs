//! A call under way.

use std::sync::Arc;
use std::time::Duration;

use llm::error::ApiError;

use super::moment::Moment;
use super::target::TargetState;

/// Counts as in flight at its target until it is dropped. Dropped without a word it says nothing of the target: the
/// client left, or a quicker one was taken.
#[derive(Debug)]
pub struct InUse {
    target: Arc<TargetState>,
    key: Option<usize>,
    /// It is to tell whether a target is back that had failed, and has not yet.
    probe: bool,
}

impl InUse {
    pub(super) fn new(target: Arc<TargetState>, key: Option<usize>, probe: bool) -> Self {
        Self { target, key, probe }
    }

    pub fn target(&self) -> &Arc<TargetState> {
        &self.target
    }

    /// The answer has begun, so long after it was asked for.
    pub fn answered(&mut self, first_token: Duration, moment: Moment) {
        self.probe = false;
        self.target.answered(self.key, first_token, moment.now);
    }

    /// A target that was asked later was quicker: nothing had come for so long. That is no failure, and no answer.
    pub fn overtaken(&mut self, waited: Duration, moment: Moment) {
        self.target.was_slow(waited, moment.now);
    }

    /// The call failed where no [`Plan`](super::Plan) hears of it: in the middle of its reply, or as a copy.
    pub fn failed(&mut self, error: &ApiError, moment: Moment) {
        self.probe = false;
        self.target.failed(self.key, error, moment.now);
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.target.ended(self.probe);
    }
}
