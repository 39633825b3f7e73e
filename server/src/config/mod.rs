//! The configuration: files and environment in, one checked [`Config`] out.
//!
//! Nothing else in the gateway reads configuration files or environment variables.

mod admin;
mod alerts;
mod allowance;
mod breaker;
mod budget;
mod byte_size;
mod cache;
mod check;
mod compat;
mod database;
mod destinations;
mod document;
mod dollars;
mod effective;
mod egress;
mod endpoint;
mod entities;
mod file;
mod grpc;
mod guardrail;
mod health;
mod hedge;
mod key;
mod limit;
mod load;
mod logging;
mod model;
mod parameters;
mod payloads;
mod per;
mod per_million;
mod price;
mod problem;
mod project;
mod provider;
mod rate;
mod reading;
mod recording;
mod retry;
mod route;
mod rule;
mod secret;
mod secret_key;
mod selector;
mod server;
mod share;
mod simulated;
mod stamp;
mod system_prompt;
mod target;
mod time_of_day;
mod time_zone;
mod timeouts;
mod timestamp;
mod unit_price;

use std::collections::BTreeMap;

use shared::policies::{
    Budget, CacheSettings, EgressRoute, Guardrail, PayloadSettings, Project, RateLimit,
    SystemPrompt,
};

pub use admin::Admin;
pub use alerts::Alerts;
pub use breaker::Breaker;
pub use byte_size::ByteSize;
pub use compat::{Imported, import};
pub use database::{Database, sqlite_file};
pub use destinations::Destinations;
pub use dollars::Dollars;
pub use effective::{Effective, Setting};
pub use endpoint::Endpoint;
pub use entities::{
    different_settings, logging, logging_settings, model, model_settings, price_names,
    price_settings, problems, provider, provider_settings, put_price, put_settings, remove_price,
    settings,
};
pub use file::Choice;
pub use grpc::Grpc;
pub use health::Health;
pub use hedge::Hedge;
pub use ipnet::IpNet;
pub use key::Key;
pub use load::{Loaded, load, load_from};
pub use logging::{Datadog, Elasticsearch, LogFormat, Logging, Splunk};
pub use model::{Model, Shadow, Sticky, StickyBy, Strategy};
pub use per_million::Price;
pub use price::PriceOverride;
pub use problem::{ConfigErrors, Problem, Source};
pub use provider::Provider;
pub use reading::Environment;
pub use recording::Recording;
pub use retry::Retry;
pub use route::{Dialect, Route};
pub use rule::{Day, Named, Rule, When};
pub use secret::{MASK, Secret};
pub use secret_key::SecretKey;
pub use server::Server;
pub use share::Share;
pub use simulated::Simulated;
pub use stamp::Stamp;
pub use system_prompt::DEFAULT_PROMPT;
pub use target::Target;
pub use time_of_day::{TimeOfDay, UtcOffset};
pub use time_zone::TimeZone;
pub use timeouts::{PartialTimeouts, Timeouts};
pub use unit_price::UnitPriceOverride;

/// Everything an operator can say before the start.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The listener clients talk to.
    pub server: Server,
    /// The listener operators talk to.
    pub admin: Admin,
    /// The listener gRPC clients will talk to.
    pub grpc: Grpc,
    /// What secrets in the database are encrypted with.
    pub secret: SecretKey,
    /// The database.
    pub database: Database,
    /// The queue to the database, and retention.
    pub recording: Recording,
    /// The log.
    pub logging: Logging,
    /// Who is told when a budget runs out.
    pub alerts: Alerts,
    /// The upstreams.
    pub providers: Vec<Provider>,
    /// Paths of the operator's own.
    pub routes: Vec<Route>,
    /// What clients may ask for.
    pub models: Vec<Model>,
    /// Who may use the gateway; empty: it is open.
    pub keys: Vec<Key>,
    /// Prices in place of the built-in table's.
    pub prices: Vec<PriceOverride>,
    /// The same for what is not charged for by tokens.
    pub unit_prices: Vec<UnitPriceOverride>,
    /// What keys share, by the projects' names.
    pub projects: BTreeMap<String, Project>,
    /// Rates, by their names.
    pub limits: BTreeMap<String, RateLimit>,
    /// Quotas and budgets, by their names.
    pub budgets: BTreeMap<String, Budget>,
    /// Rules about what may be asked and answered, by their names.
    pub guardrails: BTreeMap<String, Guardrail>,
    /// What models are told, by the prompts' names; `[system_prompt]` is the one called [`DEFAULT_PROMPT`].
    pub system_prompts: BTreeMap<String, SystemPrompt>,
    /// Answers that are given again.
    pub cache: CacheSettings,
    /// HTTP APIs that are no models, by the names under which clients reach them.
    pub egress: BTreeMap<String, EgressRoute>,
    /// Requests and replies that are logged with their contents.
    pub payloads: PayloadSettings,
}

/// What holds with no configuration at all: a simulated provider, everything on loopback.
impl Default for Config {
    fn default() -> Self {
        Self {
            server: Server::default(),
            admin: Admin::default(),
            grpc: Grpc::default(),
            secret: SecretKey::default(),
            database: Database::default(),
            recording: Recording::default(),
            logging: Logging::default(),
            alerts: Alerts::default(),
            providers: vec![Provider::built_in()],
            routes: Vec::new(),
            models: Vec::new(),
            keys: Vec::new(),
            prices: Vec::new(),
            unit_prices: Vec::new(),
            projects: BTreeMap::new(),
            limits: BTreeMap::new(),
            budgets: BTreeMap::new(),
            guardrails: BTreeMap::new(),
            system_prompts: BTreeMap::new(),
            egress: BTreeMap::new(),
            cache: CacheSettings::default(),
            payloads: PayloadSettings::default(),
        }
    }
}
