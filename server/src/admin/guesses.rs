//! The admin token against guesses: slow, few, and in the log.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::Extensions;
use tokio::time::Instant;

use super::token::AdminToken;
use crate::serve::ClientConnection;

/// So many wrong tokens in a row from one address; then one more every [`REFILL`].
const BURST: u32 = 10;
const REFILL: Duration = Duration::from_secs(6);
/// How long the answer to a wrong token takes at least.
const DELAY: Duration = Duration::from_millis(250);
/// Between two warnings about wrong tokens.
const QUIET: Duration = Duration::from_secs(5);
/// So many addresses are told apart; what comes after counts as one.
const MOST_ADDRESSES: usize = 1024;

/// What is thought of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    /// There were too many wrong ones: nobody looked at this one.
    TooMany {
        retry_after: Duration,
    },
}

/// The token, and who guessed it wrong.
#[derive(Debug)]
pub(super) struct Guesses {
    token: AdminToken,
    wrong: Mutex<Wrong>,
}

#[derive(Debug, Default)]
struct Wrong {
    /// When an address has paid for all of its wrong tokens, [`REFILL`] each.
    paid: HashMap<IpAddr, Instant>,
    warned: Option<Instant>,
    /// Wrong tokens since the last warning.
    unsaid: u64,
}

impl Guesses {
    pub fn new(token: AdminToken) -> Self {
        Self {
            token,
            wrong: Mutex::default(),
        }
    }

    /// Checks a token from this client; takes a while when it is wrong.
    pub async fn judge(&self, client: &Extensions, guess: &str) -> Verdict {
        let verdict = self.judge_at(address(client), guess, Instant::now());
        if verdict == Verdict::Wrong {
            tokio::time::sleep(DELAY).await;
        }
        verdict
    }

    fn judge_at(&self, address: IpAddr, guess: &str, now: Instant) -> Verdict {
        // One at a time, or many at once would all be let through.
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let address = wrong.known(address, now);
        let paid = wrong.paid.get(&address).map_or(now, |paid| now.max(*paid));
        let full = now + REFILL * (BURST - 1);
        if paid > full {
            return Verdict::TooMany {
                retry_after: paid - full,
            };
        }
        if self.token.matches(guess) {
            return Verdict::Right;
        }
        wrong.paid.insert(address, paid + REFILL);
        wrong.warn(address, now);
        Verdict::Wrong
    }
}

impl Wrong {
    /// The address that this one counts as.
    fn known(&mut self, address: IpAddr, now: Instant) -> IpAddr {
        if self.paid.len() >= MOST_ADDRESSES && !self.paid.contains_key(&address) {
            self.paid.retain(|_, paid| *paid > now);
            if self.paid.len() >= MOST_ADDRESSES {
                return Ipv6Addr::UNSPECIFIED.into();
            }
        }
        address
    }

    fn warn(&mut self, address: IpAddr, now: Instant) {
        self.unsaid += 1;
        if self.warned.is_none_or(|warned| now >= warned + QUIET) {
            tracing::warn!(
                count = self.unsaid,
                last_address = %address,
                "Wrong tokens were sent to the admin listener"
            );
            self.warned = Some(now);
            self.unsaid = 0;
        }
    }
}

/// Whom a connection counts for: who has one IPv6 address has 2⁶⁴ of them.
fn address(client: &Extensions) -> IpAddr {
    match client
        .get::<ClientConnection>()
        .map(|client| client.address.to_canonical())
    {
        None => Ipv6Addr::UNSPECIFIED.into(),
        Some(IpAddr::V6(address)) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        Some(address) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn guesses() -> Guesses {
        Guesses::new(AdminToken::configured("the-right-admin-token"))
    }

    #[test]
    fn a_few_guesses_then_one_every_few_seconds() {
        let (guesses, now) = (guesses(), Instant::now());
        for _ in 0..BURST {
            assert_eq!(guesses.judge_at(HERE, "wrong", now), Verdict::Wrong);
        }
        let refused = Verdict::TooMany {
            retry_after: REFILL,
        };
        for guess in ["wrong", "the-right-admin-token"] {
            assert_eq!(guesses.judge_at(HERE, guess, now), refused);
        }
        let elsewhere = Ipv4Addr::new(10, 0, 0, 1).into();
        assert_eq!(
            guesses.judge_at(elsewhere, "wrong", now),
            Verdict::Wrong,
            "another address"
        );
        let later = now + REFILL;
        assert_eq!(guesses.judge_at(HERE, "wrong", later), Verdict::Wrong);
        assert_eq!(guesses.judge_at(HERE, "wrong", later), refused);
        let right = "the-right-admin-token";
        assert_eq!(
            guesses.judge_at(HERE, right, later + REFILL),
            Verdict::Right
        );
    }

    #[test]
    fn the_right_token_costs_nothing() {
        let (guesses, now) = (guesses(), Instant::now());
        for _ in 0..10 * BURST {
            let right = guesses.judge_at(HERE, "the-right-admin-token", now);
            assert_eq!(right, Verdict::Right);
        }
    }

    #[test]
    fn many_addresses_take_bounded_memory() {
        let (guesses, now) = (guesses(), Instant::now());
        for number in 0..4096 {
            guesses.judge_at(Ipv4Addr::from_bits(number).into(), "wrong", now);
        }
        let known = guesses.wrong.lock().unwrap().paid.len();
        assert_eq!(known, MOST_ADDRESSES + 1);
        let newcomer = guesses.judge_at(Ipv4Addr::from_bits(5000).into(), "wrong", now);
        assert!(matches!(newcomer, Verdict::TooMany { .. }));
    }
}
