//! The limits of the test, far enough apart to tell which one a client has waited for.

use std::fmt;
use std::time::Duration;

use server::config::Config;

/// What the simulated provider's late replies are late by: past every limit.
pub const LATE: Duration = Duration::from_secs(60);

const RETRY_AFTER: Duration = Duration::from_secs(1);
const CONNECT: Duration = Duration::from_secs(2);
const FIRST_BYTE: Duration = Duration::from_secs(3);
const FIRST_TOKEN: Duration = Duration::from_secs(4);
const BETWEEN_CHUNKS: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(8);

/// What a client has waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    AtOnce,
    RetryAfter,
    Connect,
    FirstByte,
    FirstToken,
    BetweenChunks,
    Total,
}

pub fn set(config: &mut Config) {
    let timeouts = &mut config.server.timeouts;
    timeouts.connect = CONNECT;
    timeouts.first_byte = FIRST_BYTE;
    timeouts.first_token = Some(FIRST_TOKEN);
    timeouts.between_chunks = BETWEEN_CHUNKS;
    timeouts.total = TOTAL;
}

impl Wait {
    /// The longest wait that fits.
    pub fn of(elapsed: Duration) -> Self {
        let waits = [
            (Self::RetryAfter, RETRY_AFTER),
            (Self::Connect, CONNECT),
            (Self::FirstByte, FIRST_BYTE),
            (Self::FirstToken, FIRST_TOKEN),
            (Self::BetweenChunks, BETWEEN_CHUNKS),
            (Self::Total, TOTAL),
        ];
        waits
            .into_iter()
            .rev()
            .find(|(_, wait)| elapsed >= *wait)
            .map_or(Self::AtOnce, |(wait, _)| wait)
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtOnce => "at once",
            Self::RetryAfter => "after `Retry-After`",
            Self::Connect => "after `connect`",
            Self::FirstByte => "after `first_byte`",
            Self::FirstToken => "after `first_token`",
            Self::BetweenChunks => "after `between_chunks`",
            Self::Total => "after `total`",
        })
    }
}
