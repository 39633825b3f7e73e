//! Two targets asked at the same time.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use super::attempts::Outcome;

/// Waits for two answers until one is there, or neither will be. What has no outcome then was still under way, and
/// dropping it ends it.
pub(super) async fn race<A>(
    mut first: Pin<&mut impl Future<Output = Outcome<A>>>,
    mut second: Pin<Box<impl Future<Output = Outcome<A>>>>,
) -> (Option<Outcome<A>>, Option<Outcome<A>>) {
    let mut outcomes = (None, None);
    poll_fn(|cx| {
        if outcomes.0.is_none()
            && let Poll::Ready(outcome) = first.as_mut().poll(cx)
        {
            outcomes.0 = Some(outcome);
        }
        if !matches!(outcomes.0, Some(Ok(_)))
            && outcomes.1.is_none()
            && let Poll::Ready(outcome) = second.as_mut().poll(cx)
        {
            outcomes.1 = Some(outcome);
        }
        match &outcomes {
            (Some(Ok(_)), _) | (_, Some(Ok(_))) | (Some(_), Some(_)) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    })
    .await;
    outcomes
}

/// What comes of a future within this time, if it is limited; then the future can be waited for again.
pub(super) async fn timeout<F: Future>(
    limit: Option<Duration>,
    future: Pin<&mut F>,
) -> Option<F::Output> {
    match limit {
        None => Some(future.await),
        Some(limit) => tokio::time::timeout(limit, future).await.ok(),
    }
}
