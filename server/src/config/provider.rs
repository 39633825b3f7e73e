//! `[[providers]]`: the upstreams.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Uri;

use super::reading::Section;
use super::{Health, PartialTimeouts, Secret, Simulated};

/// One upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// What `x-llm-provider` and targets call it; unique.
    pub name: String,
    /// Which entry of the registry of providers it is: gives base URL, authentication and protocols.
    pub kind: String,
    /// The one chat protocol spoken with it; where `None`, the client's own if the kind speaks it, else the kind's first.
    pub protocol: Option<String>,
    /// `http://` or `https://`, without query; where `None`, the registry's.
    pub base_url: Option<String>,
    /// What the upstream asks for as credentials; where nobody says it, what the kind's own variable says.
    pub api_key: Option<Secret>,
    /// More credentials, used in turn with `api_key`.
    pub api_keys: Vec<Secret>,
    /// Where the gateway has no credentials, the client's own go upstream.
    pub pass_client_key: bool,
    /// The version of the upstream's API, for kinds that have several.
    pub api_version: Option<String>,
    /// The model used where a request chooses this provider and no model of its own.
    pub model: Option<String>,
    /// Whether requests go there at all.
    pub enabled: bool,
    /// Whether requests go there that nothing else sends anywhere; true for one provider at most.
    pub default: bool,
    /// Names of providers to go to when this one, chosen by name or as the default, fails: their own models answer.
    pub fallbacks: Vec<String>,
    /// Calls at the same time; where `None`, as many as come.
    pub max_concurrent: Option<u32>,
    /// Requests that may wait for one of those calls to end.
    pub queue: u32,
    /// How long they wait at most.
    pub queue_timeout: Duration,
    /// Asking now and then whether it is there.
    pub health: Health,
    /// Headers sent with each request. Values may be secret.
    pub headers: BTreeMap<String, Secret>,
    /// Waits of its own.
    pub timeouts: PartialTimeouts,
    /// How the simulated provider behaves; for others without effect.
    pub simulated: Simulated,
}

impl Default for Provider {
    /// One that is not enabled, without a name.
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: String::new(),
            protocol: None,
            base_url: None,
            api_key: None,
            api_keys: Vec::new(),
            pass_client_key: false,
            api_version: None,
            model: None,
            enabled: false,
            default: false,
            fallbacks: Vec::new(),
            max_concurrent: None,
            queue: 100,
            queue_timeout: Duration::from_secs(5),
            health: Health::default(),
            headers: BTreeMap::new(),
            timeouts: PartialTimeouts::default(),
            simulated: Simulated::default(),
        }
    }
}

impl Provider {
    /// The one that serves where the configuration names none: simulated, and named so.
    pub fn built_in() -> Self {
        let mut kinds = llm::providers::all().iter();
        let simulated = kinds.find(|kind| kind.simulated);
        let id = simulated.expect("one kind of provider is simulated").id;
        Self {
            name: id.to_owned(),
            kind: id.to_owned(),
            model: Some(id.to_owned()),
            enabled: true,
            default: true,
            ..Self::default()
        }
    }
}

impl Provider {
    /// All providers; the built-in one where nobody names any.
    pub(super) fn read_all(section: &mut Section<'_, '_>) -> Vec<Self> {
        let named = section.named_list("providers", Some("kind"), |section, name| {
            let base = Self {
                name,
                enabled: true,
                ..Self::default()
            };
            let kind = section.required("kind");
            Self::read(section, kind, base)
        });
        named.unwrap_or_else(|| {
            let base = Self::built_in();
            let name = base.name.clone();
            vec![section.built_in_item("providers", &name, |section| {
                let kind = section.value("kind", base.kind.clone());
                Self::read(section, kind, base)
            })]
        })
    }

    pub(super) fn read(section: &mut Section<'_, '_>, kind: String, base: Self) -> Self {
        let protocol = section.optional("protocol");
        let base_url: Option<String> = section.optional("base_url");
        let base_url = base_url.map(|url| url.trim_end_matches('/').to_owned());
        let variables = key_variables(&kind, base_url.as_deref());
        Self {
            name: base.name,
            kind,
            protocol,
            base_url,
            api_key: section.optional_or_variable("api_key", variables),
            api_keys: section.values("api_keys", Vec::new()),
            pass_client_key: section.value("pass_client_key", base.pass_client_key),
            api_version: section.optional("api_version"),
            model: section.optional_or("model", base.model),
            enabled: section.value("enabled", base.enabled),
            default: section.value("default", base.default),
            fallbacks: section.values("fallbacks", base.fallbacks),
            max_concurrent: section.optional("max_concurrent"),
            queue: section.value("queue", base.queue),
            queue_timeout: section.value("queue_timeout", base.queue_timeout),
            headers: section.map("headers"),
            health: section.section("health", Health::read),
            timeouts: section.section("timeouts", PartialTimeouts::read),
            simulated: section.section("simulated", Simulated::read),
        }
    }
}

impl Provider {
    /// All its credentials, each once, in the order of their use.
    pub fn all_keys(&self) -> Vec<&Secret> {
        let mut keys: Vec<&Secret> = Vec::new();
        for key in self.api_key.iter().chain(&self.api_keys) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }
}

/// The variables that hold the kind's key. A service's key is for that service alone: at another host than its
/// own it has to be given by name.
fn key_variables(kind: &str, base_url: Option<&str>) -> &'static [&'static str] {
    let Some(kind) = llm::providers::find(kind) else {
        return &[];
    };
    let elsewhere = match (kind.base_url, base_url) {
        (Some(own), Some(url)) => kind.key_needed && host(own) != host(url),
        _ => false,
    };
    if elsewhere { &[] } else { kind.key_variables }
}

fn host(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(uri.host()?.to_ascii_lowercase())
}
