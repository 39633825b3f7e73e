//! What clients are told whose request is refused.

use std::time::Duration;

use llm::error::{ApiError, ErrorKind, ErrorSource};
use shared::policies::Per;

use super::count::Refused;
use super::rule::Owner;
use super::shown::{Shown, seconds};
use super::window::{Room, Size};

impl Refused {
    /// A 429 that says which rate it was, how much that allows, and when to come again, if ever.
    pub fn error(&self) -> ApiError {
        let rule = &self.rule;
        let which = match &rule.identity.owner {
            Owner::Limit(name) => format!("The rate limit `{name}`"),
            Owner::Key(name) => format!("The rate limit of the key `{name}`"),
            Owner::Project(name) => format!("The rate limit of the project `{name}`"),
        };
        let per = match rule.identity.per {
            Per::All => "",
            Per::Address => " for each client address",
            Per::Key => " for each key",
            Per::Project => " for each project",
            Per::Model => " for each model",
        };
        let (limit, what) = self.short_of();
        let what = if limit == 1 {
            &what[..what.len() - 1]
        } else {
            what
        };
        let window = window(&rule.size);
        let wait = self.wait();
        let message = match self.room {
            Room::Never(_) => format!(
                "{which} allows {limit} {what} in {window}{per}. This request takes about {} and never fits: make \
                 it shorter.",
                self.wanted.tokens
            ),
            _ => format!(
                "{which} is used up: it allows {limit} {what} in {window}{per}. There is room again in {wait} s."
            ),
        };
        let error = ApiError::new(ErrorKind::RateLimited, ErrorSource::Policy, message)
            .with_code("rate_limit_exceeded");
        match self.room {
            Room::Never(_) => error,
            _ => error.with_retry_after(Duration::from_secs(wait)),
        }
    }

    /// What headers say of the rate.
    pub fn shown(&self) -> Shown {
        let (limit, what) = self.short_of();
        let used = match what {
            REQUESTS => self.used.requests,
            _ => self.used.tokens,
        };
        Shown::used_up(limit, limit.saturating_sub(used), self.wait())
    }

    /// How much there is of what there is not enough of.
    fn short_of(&self) -> (u64, &'static str) {
        let size = &self.rule.size;
        let lacks_requests = size.requests.is_some_and(|limit| {
            self.wanted.requests > 0
                && self.used.requests.saturating_add(self.wanted.requests) > limit
        });
        match (size.tokens, size.requests) {
            (Some(tokens), _) if !lacks_requests => (tokens, TOKENS),
            (_, requests) => (requests.unwrap_or(0), REQUESTS),
        }
    }

    /// Seconds.
    fn wait(&self) -> u64 {
        match self.room {
            Room::Now => 0,
            Room::In(wait) | Room::Never(wait) => seconds(wait).max(1),
        }
    }
}

const REQUESTS: &str = "requests";
const TOKENS: &str = "tokens";

/// In the largest unit that is exact, but for a minute: `60 s`, `5 min`, `24 h`.
fn window(size: &Size) -> String {
    let seconds = seconds(size.window);
    match seconds {
        _ if seconds > 3_600 * 48 && seconds.is_multiple_of(86_400) => {
            format!("{} days", seconds / 86_400)
        }
        _ if seconds >= 3_600 && seconds.is_multiple_of(3_600) => format!("{} h", seconds / 3_600),
        _ if seconds > 120 && seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}
