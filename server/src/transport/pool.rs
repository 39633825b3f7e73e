//! Open connections that wait for their next request.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use foldhash::HashMap;
use tokio::time::Instant;

use super::connect::Origin;
use super::connection::Connection;
use super::tls::{self, OwnAuthorities};

/// Shorter than the idle time of common servers and proxies, so that it is mostly us who close.
const IDLE: Duration = Duration::from_secs(55);
/// Idle connections kept to one origin; more are closed.
const MAX_IDLE: usize = 1024;

/// The connections to each origin, and since when each has been idle; the oldest stand in front.
type Idle = HashMap<Origin, Vec<(Instant, Box<Connection>)>>;

#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Idle>,
    tls: OnceLock<Arc<rustls::ClientConfig>>,
    own: OwnAuthorities,
}

impl Pool {
    pub fn new(own: OwnAuthorities) -> Self {
        Self {
            own,
            ..Self::default()
        }
    }

    /// The TLS settings, made when they are first needed.
    pub fn tls(&self) -> impl FnOnce() -> Arc<rustls::ClientConfig> + '_ {
        || {
            self.tls
                .get_or_init(|| tls::client_config(&self.own))
                .clone()
        }
    }

    /// A connection that was open a moment ago, the one used last first.
    pub async fn take(&self, origin: &Origin) -> Option<Box<Connection>> {
        loop {
            let mut connection = {
                let mut idle = self.lock();
                idle.get_mut(origin)?.pop()?.1
            };
            if poll_fn(|cx| connection.poll_usable(cx)).await {
                return Some(connection);
            }
        }
    }

    pub fn put(&self, origin: &Origin, connection: Box<Connection>) {
        let mut idle = self.lock();
        // A look-up by reference first: an origin is new only once.
        let connections = match idle.get_mut(origin) {
            Some(connections) => connections,
            None => idle.entry(origin.clone()).or_default(),
        };
        if connections.len() < MAX_IDLE {
            connections.push((Instant::now(), connection));
        }
    }

    pub fn evict_idle(&self) {
        let now = Instant::now();
        let mut expired = Vec::new();
        let mut idle = self.lock();
        for connections in idle.values_mut() {
            let fresh = connections.partition_point(|(since, _)| now - *since > IDLE);
            expired.extend(connections.drain(..fresh));
            connections.shrink_to(connections.len() * 2);
        }
        drop(idle);
        drop(expired);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Idle> {
        // A panic while pushing or popping leaves a vector that is still one.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let idle: usize = self.lock().values().map(Vec::len).sum();
        f.debug_struct("Pool").field("idle", &idle).finish()
    }
}
