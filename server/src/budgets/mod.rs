//! Quotas and budgets: what may be used in a day, a week, a month, or at all. None can be configured yet: nothing is
//! claimed, from the place where accounts will be charged.

mod check;

pub use check::{check, check_allowance};

use llm::error::ApiError;

use crate::auth::Caller;

/// The quotas and budgets in force and what counts against them.
#[derive(Clone, Debug, Default)]
pub struct Budgets;

/// What a request takes of the accounts that it counts against.
#[derive(Debug)]
pub struct Claim;

impl Budgets {
    /// `None`: no account limits such requests.
    ///
    /// # Errors
    /// An account has nothing left.
    pub fn claim(&self, _caller: &Caller, _model: Option<&str>) -> Result<Option<Claim>, ApiError> {
        Ok(None)
    }
}
