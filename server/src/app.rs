//! The whole gateway, from a configuration to open listeners and back.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use chrono::Utc;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::access::{self, Access, AdminToken, Lifetimes};
use crate::admin::{self, Admin, AdminState};
use crate::cache::Persistence;
use crate::config::{Config, Destinations, Secret, Server};
use crate::gateway::Gateway;
use crate::in_force::{InForce, Overlay};
use crate::payloads::PayloadLog;
use crate::policies::Policies;
use crate::recording::{Recorder, RecordingSettings};
use crate::routes::Routes;
use crate::routing::States;
use crate::secrets::{Key, Vault};
use crate::serve::{Service, Stop, serve};
use crate::store::Store;
use crate::telemetry::logs::Log;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::transitions::Transitions;
use crate::transport::{OwnAuthorities, Transport};
use crate::{budget_alerts, budgets, health_checks, ingress, routes};

/// More than any number of operators needs.
const ADMIN_CONNECTIONS: usize = 1024;

/// A gateway that serves.
#[derive(Debug)]
pub struct App {
    pub client_address: SocketAddr,
    pub admin_address: SocketAddr,
    /// The admin token where it was made, not configured.
    pub token_to_show: Option<String>,
    pub gateway: Arc<Gateway>,
    pub in_force: Arc<InForce>,
    pub store: Store,
    server: Server,
    health_checks: AbortHandle,
    access: Arc<Access>,
    access_upkeep: AbortHandle,
    budget_alerts: AbortHandle,
    cache: Persistence,
    log: Log,
    stop: Stop,
}

impl App {
    /// Opens the database, then the listeners: when this returns, requests are answered.
    ///
    /// # Errors
    /// Whatever keeps the gateway from serving, with what it was about.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        Self::start_logging(config, Log::default()).await
    }

    /// The same, with a log that follows the configuration.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_logging(config: &Config, log: Log) -> anyhow::Result<Self> {
        let started_at = Utc::now();
        ingress::note_start();
        let transitions = Transitions::default();
        let noted = transitions.clone();
        let states = States::new(move |transition| noted.note(transition));
        let policies = Policies::build(config, Arc::new(states))?;
        let authorities = match &config.server.ca_file {
            Some(file) => OwnAuthorities::read(file).context("server.ca_file")?,
            None => OwnAuthorities::default(),
        };
        let store = Store::open(&config.database.url)
            .await
            .with_context(|| format!("could not open the database {}", config.database.url))?;
        let overlay = Overlay::kept_in(&store).await;
        let secrets = store.key_secrets().await;
        let secrets = secrets.context("could not read the client keys in the database")?;
        let vault = vault(config, &store).await?;
        let in_force = overlay.applied_to(config, &vault);
        let secrets = Arc::new(secrets.into_iter().collect());
        let policies = policies.rebuild_with(&in_force, secrets)?;
        let token = match &config.admin.token {
            Some(token) => AdminToken::configured(token.expose()),
            None => AdminToken::kept_in(beside(&store, "admin-token"))?,
        };
        refuse_a_weak_token(&token, config.admin.host)?;
        let token_to_show = token.to_show().map(str::to_owned);
        let lifetimes = Lifetimes {
            absolute: config.admin.session_ttl,
            idle: config.admin.session_idle,
        };
        let access = Arc::new(Access::open(store.clone(), token, lifetimes).await?);

        let clients = listen(config.server.host, config.server.port, "server").await?;
        let operators = listen(config.admin.host, config.admin.port, "admin").await?;
        let client_address = clients.local_addr()?;
        let admin_address = operators.local_addr()?;

        let (alerts, due) = budgets::ledger::alerts();
        let ledger = policies.budgets.ledger();
        ledger
            .open(store.clone(), beside(&store, "ledger"), alerts)
            .await;
        let recorder = Recorder::start(recording(&in_force, &store), store.clone());
        let destinations = Destinations::allowing(&config.server.allow_addresses);
        let transport = Transport::new(authorities, destinations);
        tokio::spawn(transport.clone().sweep());
        log.shipping().begin(transport.clone());
        log.put(&in_force.logging);
        let payloads = PayloadLog::start(beside(&store, "payloads"));
        let gateway = Arc::new(Gateway::new(
            policies,
            transport,
            recorder,
            payloads,
            config.recording.flush_interval.is_zero(),
        ));
        let kept = Arc::clone(gateway.policies().cache.kept());
        let weak = Arc::downgrade(&gateway);
        let is_persistent = move || {
            let gateway = weak.upgrade();
            gateway.is_some_and(|gateway| gateway.policies().cache.is_persistent())
        };
        let cache = Persistence::start(store.clone(), kept, is_persistent).await;
        let metrics = Metrics::of(&gateway, &transitions, log.shipping());
        let (counting, shipping) = (Arc::downgrade(&metrics), log.shipping().clone());
        gateway.recorder().observe(Box::new(move |record| {
            if let Some(metrics) = counting.upgrade() {
                metrics.count(record);
            }
            shipping.request(record);
        }));
        let in_force = Arc::new(InForce::new(
            gateway.clone(),
            log.clone(),
            store.clone(),
            config.clone(),
            overlay,
            vault,
        ));
        let api = Arc::new(Admin {
            in_force: in_force.clone(),
            access: access.clone(),
            store: store.clone(),
            gateway: gateway.clone(),
            metrics,
            started_at,
            client_url: format!("http://{}", reachable(client_address)),
        });
        let admin = AdminState::new(api, admin_address.ip().is_loopback());

        if gateway.policies().keys.is_open() && !client_address.ip().is_loopback() {
            tracing::warn!(
                "The gateway is open: it has no client keys, and whoever reaches {client_address} can use the providers"
            );
        }
        let stop = Stop::default();
        let write_timeout = config.server.timeouts.between_chunks;
        let for_clients = Service {
            routes: routes::clients(gateway.clone()),
            gateway: Some(gateway.clone()),
            // Idle ones too: SDKs keep a few open.
            max_connections: config.server.max_concurrent_requests.saturating_mul(4),
            write_timeout,
        };
        let for_operators = Service {
            routes: Routes::Operators(admin::router(&admin)),
            gateway: None,
            max_connections: ADMIN_CONNECTIONS,
            write_timeout,
        };
        let health_checks = tokio::spawn(health_checks::run(gateway.clone())).abort_handle();
        let access_upkeep = tokio::spawn(access::keep_up(access.clone())).abort_handle();
        let budget_alerts = tokio::spawn(budget_alerts::run(gateway.clone(), due)).abort_handle();
        tokio::spawn(serve(clients, for_clients, stop.clone()));
        tokio::spawn(serve(operators, for_operators, stop.clone()));
        Ok(Self {
            client_address,
            admin_address,
            token_to_show,
            gateway,
            in_force,
            store,
            server: config.server.clone(),
            health_checks,
            access,
            access_upkeep,
            budget_alerts,
            cache,
            log,
            stop,
        })
    }

    /// Takes no more requests, lets those under way finish, writes every record.
    pub async fn stop(self) {
        self.gateway.drain();
        self.health_checks.abort();
        if !self.stop.drain(self.server.drain_timeout).await {
            tracing::warn!(
                "Requests were still under way after {:?} and have been cut off",
                self.server.drain_timeout
            );
        }
        self.gateway.stop_shadows().await;
        let policies = self.gateway.policies();
        policies.budgets.ledger().close(&self.store).await;
        self.budget_alerts.abort();
        self.access_upkeep.abort();
        self.access.keep_up().await;
        self.cache.end().await;
        self.gateway.recorder().shutdown().await;
        self.gateway.payloads().shutdown().await;
        let recording = self.gateway.recorder().status();
        if recording.lost > 0 {
            tracing::error!(lost = recording.lost, "Records of requests were lost");
        }
        self.store.close().await;
        self.log.shipping().end().await;
    }
}

/// There always is an admin token: whoever configures none has one made that nobody guesses. One that can be guessed is no
/// credential where others than this machine's users can try.
///
/// # Errors
/// The token could be guessed, and the listener is reachable from elsewhere.
fn refuse_a_weak_token(token: &AdminToken, host: IpAddr) -> anyhow::Result<()> {
    let at_least = AdminToken::SHORTEST;
    anyhow::ensure!(
        host.is_loopback() || !token.is_weak(),
        "the admin listener is reachable from other machines (admin.host = {host}), and admin.token is shorter than \
         {at_least} characters: use a longer one, or none (then the gateway makes one), or set admin.host to 127.0.0.1"
    );
    Ok(())
}

async fn listen(host: IpAddr, port: u16, section: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind((host, port)).await.with_context(|| {
        format!("could not listen on {host} port {port} (set {section}.host and {section}.port)")
    })
}

/// The secrets in the database. What a former key sealed is sealed anew.
async fn vault(config: &Config, store: &Store) -> anyhow::Result<Vault> {
    let sealed = store.sealed_secrets().await;
    let sealed = sealed.context("could not read the secrets in the database")?;
    let key = |key: &Option<Secret>| key.as_ref().and_then(|key| Key::parse(key.expose()));
    let previous = key(&config.secret.previous_key);
    let file = beside(store, "secret-key");
    let (vault, anew) = Vault::open(sealed, key(&config.secret.key), file, previous.as_ref());
    if !anew.is_empty() {
        let kept = store.put_sealed_secrets(&anew).await;
        kept.context("could not write the secrets that were encrypted with another key")?;
        tracing::info!(
            secrets = anew.len(),
            "Secrets were encrypted anew: secret.previous_key is not needed any more"
        );
    }
    Ok(vault)
}

fn recording(config: &Config, store: &Store) -> RecordingSettings {
    let recording = &config.recording;
    RecordingSettings {
        flush_interval: recording.flush_interval,
        queue_size: recording.queue_size,
        spool_dir: beside(store, "spool"),
        spool_max_bytes: recording.spool_max_size.as_usize() as u64,
        retention_days: recording.retention_days,
        minute_retention_days: recording.minute_retention_days,
        hour_retention_days: recording.hour_retention_days,
    }
}

/// A path next to the database: `gateway.db.<what>`.
fn beside(store: &Store, what: &str) -> PathBuf {
    let mut path = store.path().as_os_str().to_owned();
    path.push(".");
    path.push(what);
    path.into()
}

/// An address that can be called: one that listens everywhere is reached over loopback.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    let loopback: IpAddr = match address {
        SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(loopback, address.port())
}
