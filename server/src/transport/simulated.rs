//! The built-in provider's replies, played back in real time.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use llm::codec::WireRequest;
use llm::simulated::{self, SimulatedSettings, Step, Unconnected};
use tokio::time::{Instant, Sleep};

use super::deadline;
use super::error::TransportError;
use super::reply::UpstreamReply;
use crate::config::Timeouts;

/// Makes the reply, and waits for its head as long as its script says.
pub(super) async fn send(
    request: WireRequest,
    settings: &SimulatedSettings,
    timeouts: &Timeouts,
    give_up: Instant,
    sent: &mut bool,
) -> Result<UpstreamReply, TransportError> {
    let now = chrono::Utc::now().timestamp();
    let reply = simulated::reply(&request.path, &request.body.concat(), settings, now);
    let status = StatusCode::from_u16(reply.status)
        .map_err(|error| TransportError::Protocol(error.to_string()))?;
    if let Some(why) = reply.unconnected {
        return Err(unconnected(why, timeouts, give_up).await);
    }
    *sent = true;
    let limit = deadline::first_byte(timeouts, give_up);
    for step in reply.before_head {
        let until = match step {
            Step::Wait(wait) => Instant::now() + wait,
            Step::Stall => limit.at,
            Step::Cut => return Err(TransportError::NoReply),
            Step::Send(_) => continue,
        };
        if until >= limit.at {
            tokio::time::sleep_until(limit.at).await;
            return Err(limit.error());
        }
        tokio::time::sleep_until(until).await;
    }
    let body = SimulatedBody {
        steps: reply.steps.into(),
        wait: None,
    };
    Ok(UpstreamReply::simulated(
        status,
        reply.headers,
        body,
        timeouts,
        give_up,
    ))
}

/// How the call fails that gets no connection.
async fn unconnected(why: Unconnected, timeouts: &Timeouts, give_up: Instant) -> TransportError {
    let fails = |kind, message: &str| io::Error::new(kind, format!("{message} (simulated)"));
    match why {
        Unconnected::Refused => TransportError::Connect(fails(
            io::ErrorKind::ConnectionRefused,
            "connection refused",
        )),
        Unconnected::UnknownHost => {
            TransportError::Resolve(fails(io::ErrorKind::NotFound, "name not known"))
        }
        Unconnected::Untrusted => {
            TransportError::Tls(fails(io::ErrorKind::InvalidData, "certificate not trusted"))
        }
        Unconnected::BlackHole => {
            let limit = deadline::connect(timeouts, give_up);
            tokio::time::sleep_until(limit.at).await;
            limit.error()
        }
    }
}

/// What is left to play back.
pub(super) struct SimulatedBody {
    steps: VecDeque<Step>,
    wait: Option<Pin<Box<Sleep>>>,
}

impl SimulatedBody {
    pub fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        loop {
            if let Some(wait) = &mut self.wait {
                ready!(wait.as_mut().poll(cx));
                self.wait = None;
            }
            match self.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Send(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Step::Wait(wait)) => self.wait = Some(Box::pin(tokio::time::sleep(wait))),
                Some(Step::Stall) => {
                    // A stall has no end; the reply's deadline is what wakes the reader.
                    self.steps.push_front(Step::Stall);
                    return Poll::Pending;
                }
                Some(Step::Cut) => {
                    self.steps.clear();
                    let cause = "the connection was closed (simulated)".to_owned();
                    return Poll::Ready(Some(Err(TransportError::Cut(cause))));
                }
            }
        }
    }
}
