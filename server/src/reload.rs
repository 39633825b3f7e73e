//! Reading the configuration again, after SIGHUP or when its file was changed, while requests go on.
//!
//! The file is looked at once a second instead of being told of by the kernel: that works alike for editors that
//! rename, for ConfigMaps, whose links are swapped, and for network and bind mounts, which tell nothing; and costs
//! one system call.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::time::MissedTickBehavior;

use crate::config::{self, Choice, Config, ConfigErrors, Loaded, Recording, Server, Stamp};
use crate::in_force::InForce;
use crate::policies::PolicyError;

/// Between two looks at the file. A change is taken when it looks the same twice: it may be half written.
const INTERVAL: Duration = Duration::from_secs(1);

/// Where the configuration was read from.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    pub choice: Choice,
    /// How the file looked before it was read.
    pub stamp: Stamp,
}

/// What keeps a running gateway's policies those of its configuration file.
#[derive(Debug)]
pub struct Reload {
    file: ConfigFile,
    /// What the gateway was started with: some of it holds until it ends.
    started: Config,
    in_force: Arc<InForce>,
}

/// Why a changed configuration is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error("{0}")]
    Invalid(ConfigErrors),
    #[error("{0}")]
    Policy(#[from] PolicyError),
}

impl Reload {
    pub fn new(file: ConfigFile, started: Config, in_force: Arc<InForce>) -> Self {
        Self {
            file,
            started,
            in_force,
        }
    }

    /// Reads the file again after each signal and each change, for ever.
    pub async fn run(mut self, mut signal: Signal) {
        let mut looks = tokio::time::interval(INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changed = None;
        loop {
            let signalled = tokio::select! {
                received = signal.recv() => received.is_some(),
                _ = looks.tick() => false,
            };
            let choice = self.file.choice.clone();
            let Some(stamp) = unblocked(move || Stamp::of(&choice)).await else {
                continue;
            };
            let settled = changed.as_ref() == Some(&stamp);
            if !signalled && stamp == self.file.stamp {
                changed = None;
            } else if !signalled && !settled {
                changed = Some(stamp);
            } else if !signalled && !stamp.is_there() {
                self.file.stamp = stamp;
                tracing::warn!(
                    "The configuration file is gone; what was read from it stays in force"
                );
            } else {
                changed = None;
                self.file.stamp = stamp;
                let choice = self.file.choice.clone();
                if let Some(loaded) = unblocked(move || config::load(&choice)).await {
                    self.take(loaded).await;
                }
            }
        }
    }

    /// Puts a configuration in force, or says why not.
    async fn take(&self, loaded: Result<Loaded, ConfigErrors>) {
        match self.put_in_force(loaded).await {
            Ok(loaded) => {
                for warning in &loaded.warnings {
                    tracing::warn!("{warning}");
                }
                for key in changed_until_restart(&self.started, &loaded.config) {
                    tracing::warn!(
                        "{key} was changed: that takes effect when the gateway is started again"
                    );
                }
                tracing::info!(
                    file = loaded.file.map(|file| file.display().to_string()),
                    providers = loaded.config.providers.len(),
                    models = loaded.config.models.len(),
                    keys = loaded.config.keys.len(),
                    "The configuration was read again and is in force"
                );
            }
            Err(error) => {
                match &error {
                    ReloadError::Invalid(errors) => {
                        for problem in &errors.problems {
                            tracing::error!("{problem}");
                        }
                    }
                    ReloadError::Policy(error) => tracing::error!("{error}"),
                }
                tracing::error!(
                    "The configuration was read again and is invalid: the one before stays in force"
                );
            }
        }
    }

    async fn put_in_force(
        &self,
        loaded: Result<Loaded, ConfigErrors>,
    ) -> Result<Loaded, ReloadError> {
        let loaded = loaded.map_err(ReloadError::Invalid)?;
        self.in_force.take(loaded.config.clone()).await?;
        self.in_force.was_read(&loaded.effective).await;
        Ok(loaded)
    }
}

/// What may wait for a disk or a network, on a thread of its own; `None`: it panicked, or the process ends.
async fn unblocked<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

/// The keys that are read at the start only, and differ.
fn changed_until_restart(started: &Config, now: &Config) -> Vec<&'static str> {
    // Taken apart, so that a new key has to be given its place here.
    let Config {
        server:
            Server {
                host,
                port,
                max_body_size: _,
                max_concurrent_requests: _,
                strict: _,
                time_zone: _,
                assumed_output_tokens: _,
                drain_timeout,
                trusted_proxies: _,
                allow_addresses,
                ca_file,
                timeouts: _,
            },
        admin,
        grpc,
        secret,
        database,
        recording,
        logging: _,
        alerts: _,
        providers: _,
        routes: _,
        models: _,
        keys: _,
        prices: _,
        unit_prices: _,
        projects: _,
        limits: _,
        budgets: _,
        guardrails: _,
        system_prompts: _,
        cache: _,
        egress: _,
        payloads: _,
    } = now;
    let server = &started.server;
    let differs = [
        ("server.host", *host != server.host),
        ("server.port", *port != server.port),
        (
            "server.drain_timeout",
            *drain_timeout != server.drain_timeout,
        ),
        (
            "server.allow_addresses",
            *allow_addresses != server.allow_addresses,
        ),
        ("server.ca_file", *ca_file != server.ca_file),
        ("admin", *admin != started.admin),
        ("grpc", *grpc != started.grpc),
        ("secret", *secret != started.secret),
        ("database", *database != started.database),
        (
            "recording",
            !is_retention_alone(recording, &started.recording),
        ),
    ];
    let changed = differs.into_iter().filter(|(_, differs)| *differs);
    changed.map(|(key, _)| key).collect()
}

/// Whether two differ in nothing but what is taken at once.
fn is_retention_alone(now: &Recording, started: &Recording) -> bool {
    let with_retention = Recording {
        retention_days: now.retention_days,
        minute_retention_days: now.minute_retention_days,
        hour_retention_days: now.hour_retention_days,
        ..started.clone()
    };
    *now == with_retention
}
