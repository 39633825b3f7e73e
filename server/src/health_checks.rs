//! Asking providers in the background whether they are there, so that clients need not find out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use llm::codec::WireRequest;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::gateway::{Gateway, moment};
use crate::policies::{HealthCheck, Upstream};
use crate::routing::ProviderState;

/// Between two looks at the policies, which a reload may have changed.
const LOOK: Duration = Duration::from_secs(5);
/// The first check of a provider comes within this part of its interval: soon, but not with all the others.
const FIRST: f64 = 0.1;
/// Checks come so much earlier or later than the interval says, so that many gateways do not ask in step.
const JITTER: f64 = 0.1;
/// An answer's body is read so far, for the connection's sake.
const MAX_BODY: usize = 1 << 20;

/// When each provider is asked next, and with which of its keys.
#[derive(Debug)]
struct Turn {
    at: Instant,
    key: usize,
}

/// Asks every provider that can be asked, for ever.
pub async fn run(gateway: Arc<Gateway>) {
    let mut turns: HashMap<Arc<str>, Turn> = HashMap::new();
    let mut checks = JoinSet::new();
    loop {
        let policies = gateway.policies();
        let checked = || {
            let upstreams = policies.upstreams.iter();
            upstreams.filter_map(|upstream| Some((upstream, upstream.health.as_ref()?)))
        };
        turns.retain(|name, _| checked().any(|(upstream, _)| upstream.name == *name));
        let now = Instant::now();
        for (upstream, health) in checked() {
            let turn = turns.entry(upstream.name.clone()).or_insert_with(|| Turn {
                at: now + health.interval.mul_f64(FIRST * share()),
                key: 0,
            });
            // An interval that was made shorter holds at once.
            turn.at = turn.at.min(now + health.interval.mul_f64(1.0 + JITTER));
            if turn.at > now {
                continue;
            }
            let jitter = 1.0 + JITTER * (2.0 * share() - 1.0);
            turn.at = now + health.interval.mul_f64(jitter);
            let key = turn.key;
            turn.key = turn.key.wrapping_add(1);
            checks.spawn(check(gateway.clone(), Arc::clone(upstream), key));
        }
        while checks.try_join_next().is_some() {}
        let next = turns.values().map(|turn| turn.at).min();
        drop(policies);
        let look = now + LOOK;
        sleep_until(next.map_or(look, |next| next.min(look))).await;
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    /// It answers.
    Answers,
    /// It answers, and refuses the key.
    KeyRefused,
    /// It does not answer, or says that it cannot serve.
    Away(String),
}

/// Asks one provider once, and tells routing. `turn`: whose key's turn it is.
async fn check(gateway: Arc<Gateway>, upstream: Arc<Upstream>, turn: usize) {
    let policies = gateway.policies();
    let Some(health) = &upstream.health else {
        return;
    };
    let Some(provider) = policies.routing.states().provider(&upstream.name) else {
        return;
    };
    let mut request = health.request.clone();
    let key = with_key(&upstream, turn, &mut request);
    let finding = ask(&gateway, &upstream, health, request).await;
    tell(&gateway, &provider, health, key, finding);
}

/// Puts one of several keys into the request; a single one is in every request to the provider. Which one it is.
fn with_key(upstream: &Upstream, turn: usize, request: &mut WireRequest) -> Option<usize> {
    if upstream.credentials.is_empty() {
        return upstream.sends_key().then_some(0);
    }
    let key = turn % upstream.credentials.len();
    let (name, value) = &upstream.credentials[key];
    request.headers.insert(name.clone(), value.clone());
    Some(key)
}

async fn ask(
    gateway: &Gateway,
    upstream: &Upstream,
    health: &HealthCheck,
    request: WireRequest,
) -> Finding {
    let timeout = health.timeout.min(health.interval);
    let give_up = Instant::now() + timeout;
    let sent = gateway
        .transport()
        .send(&upstream.endpoint, request, &upstream.timeouts, give_up);
    let asked = async {
        let reply = sent.await?;
        let status = reply.status;
        // Most lists of models are short. One that is not is no reason to think ill of the provider.
        let _ = reply.body.collect(MAX_BODY).await;
        Ok::<_, crate::transport::TransportError>(status)
    };
    match tokio::time::timeout_at(give_up, asked).await {
        Ok(Ok(StatusCode::UNAUTHORIZED)) => Finding::KeyRefused,
        Ok(Ok(status)) if status.is_server_error() => {
            Finding::Away(format!("it answered {}", status.as_u16()))
        }
        Ok(Ok(_)) => Finding::Answers,
        Ok(Err(error)) => Finding::Away(error.to_string()),
        Err(_) => Finding::Away(format!("no answer within {timeout:?}")),
    }
}

fn tell(
    gateway: &Gateway,
    provider: &ProviderState,
    health: &HealthCheck,
    key: Option<usize>,
    finding: Finding,
) {
    let moment = moment::now();
    // Past the next check, so that nothing changes in between by itself.
    let valid_for = health.interval.mul_f64(1.0 + 2.0 * JITTER) + health.timeout;
    let outcome = match (finding, key) {
        (Finding::Away(reason), _) => Err(reason),
        // Whoever is asked without a key may well refuse that.
        (Finding::Answers | Finding::KeyRefused, None) => Ok(()),
        (Finding::Answers, Some(key)) => {
            provider.key_taken(key);
            Ok(())
        }
        (Finding::KeyRefused, Some(key)) => {
            if provider.key_refused(key, moment) {
                Ok(())
            } else {
                Err("it refuses the API key".to_owned())
            }
        }
    };
    let answers = outcome.is_ok();
    provider.checked(outcome, valid_for, moment);
    if answers {
        let policies = gateway.policies();
        policies.routing.states().seen_alive(provider.name());
    }
}

/// From 0 to 1.
fn share() -> f64 {
    moment::now().random as f64 / u64::MAX as f64
}
