//! The upstreams.

use std::net::IpAddr;

use http::uri::Scheme;
use http::{HeaderName, Uri};

use super::names;
use crate::config::reading::{Reader, did_you_mean};
use crate::config::{Config, Provider};

/// Headers that belong to the connection or the body, hence to the gateway.
const OWN_HEADERS: [&str; 5] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
];

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let providers = &config.providers;
    let all: Vec<&str> = providers
        .iter()
        .map(|provider| provider.name.as_str())
        .collect();
    names::check("providers", &all, reader);
    if providers.iter().all(|provider| !provider.enabled) {
        reader.problem(
            "providers",
            "no provider is enabled, so there is nothing to serve; write at least one [[providers]]",
        );
    }
    let mut first_default = None;
    for (i, provider) in providers.iter().enumerate() {
        let at = |key: &str| format!("providers[{i}].{key}");
        check_name(&provider.name, &at("name"), reader);
        check_kind(provider, &at("kind"), &at("base_url"), reader);
        check_protocol(provider, &at("protocol"), reader);
        if let Some(url) = &provider.base_url
            && let Err(message) = check_base_url(url)
        {
            reader.problem(&at("base_url"), message);
        }
        check_key(provider, &at("api_key"), reader);
        check_keys(provider, &at("api_keys"), reader);
        if provider.pass_client_key && !provider.all_keys().is_empty() {
            reader.warning(
                &at("pass_client_key"),
                "of no effect: the provider has a key of the gateway's",
            );
        }
        if provider.pass_client_key && provider.all_keys().is_empty() && !config.keys.is_empty() {
            reader.warning(
                &at("pass_client_key"),
                "of no effect: clients send keys of the gateway's, which never go upstream",
            );
        }
        if let Some(path) = &provider.health.path
            && !path.starts_with('/')
        {
            let message = format!("expected a path such as \"/models\", found \"{path}\"");
            reader.problem(&at("health.path"), message);
        }
        for header in provider.headers.keys() {
            if let Err(message) = check_header(header) {
                reader.problem(&at(&format!("headers.{header}")), message);
            }
        }
        for (j, fallback) in provider.fallbacks.iter().enumerate() {
            let path = at(&format!("fallbacks[{j}]"));
            let own = providers.iter().find(|other| other.name == *fallback);
            match own {
                None => {
                    let hint = did_you_mean(fallback, &all);
                    reader.problem(&path, format!("unknown provider \"{fallback}\"; {hint}"));
                }
                Some(other) if other.model.is_none() || provider.model.is_none() => {
                    let without = if other.model.is_none() {
                        other
                    } else {
                        provider
                    };
                    let message = format!(
                        "\"{}\" has no model of its own to answer with; give it one",
                        without.name
                    );
                    reader.problem(&path, message);
                }
                Some(_) => {}
            }
        }
        if provider.default && !provider.enabled {
            reader.warning(
                &at("default"),
                "the default is not enabled, so it takes nothing",
            );
        }
        if provider.default {
            match first_default {
                None => first_default = Some(i),
                Some(first) => reader.problem(
                    &at("default"),
                    format!("providers[{first}] is already the default; there can be one only"),
                ),
            }
        }
    }
}

/// `x-llm-provider` and `provider/model` must be able to say it.
fn check_name(name: &str, path: &str, reader: &mut Reader<'_>) {
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'/')
    {
        let message =
            format!("\"{name}\" cannot be a name; expected ASCII without spaces and \"/\"");
        reader.problem(path, message);
    }
}

fn check_kind(provider: &Provider, kind_path: &str, url_path: &str, reader: &mut Reader<'_>) {
    if provider.kind.is_empty() {
        return;
    }
    match llm::providers::find(&provider.kind) {
        Some(kind)
            if !kind.simulated && kind.base_url.or(provider.base_url.as_deref()).is_none() =>
        {
            let message = format!(
                "missing; kind \"{}\" needs one, such as \"https://llm.example.com/v1\"",
                provider.kind
            );
            reader.problem(url_path, message);
        }
        Some(_) => {}
        None => {
            let ids: Vec<&str> = llm::providers::all().iter().map(|kind| kind.id).collect();
            let hint = did_you_mean(&provider.kind, &ids);
            reader.problem(
                kind_path,
                format!("unknown kind \"{}\"; {hint}", provider.kind),
            );
        }
    }
}

/// A service that serves nobody without a key, and none to show: every request would be refused.
fn check_key(provider: &Provider, path: &str, reader: &mut Reader<'_>) {
    let Some(kind) = llm::providers::find(&provider.kind) else {
        return;
    };
    let shown = provider.headers.keys().any(|header| {
        kind.auth
            .header_name()
            .is_some_and(|name| header.eq_ignore_ascii_case(name.as_str()))
    });
    let url = provider.base_url.as_deref().or(kind.base_url);
    if !provider.all_keys().is_empty()
        || provider.pass_client_key
        || !provider.enabled
        || !kind.key_needed
        || shown
        || url.is_some_and(is_loopback)
    {
        return;
    }
    let or_variable = match kind.key_variables {
        [] => String::new(),
        names => format!(" or the variable {}", names.join(" or ")),
    };
    let message = format!(
        "missing: {} answers nobody without a key; set it{or_variable} (see {})",
        kind.title, kind.docs_url
    );
    reader.warning(path, message);
}

/// The same key twice is one key.
fn check_keys(provider: &Provider, path: &str, reader: &mut Reader<'_>) {
    for (i, key) in provider.api_keys.iter().enumerate() {
        let mut before = provider.api_key.iter().chain(&provider.api_keys[..i]);
        if before.any(|other| other == key) {
            reader.problem(
                &format!("{path}[{i}]"),
                "the same key as one before; one of the two is of no use",
            );
        }
    }
}

fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn check_protocol(provider: &Provider, path: &str, reader: &mut Reader<'_>) {
    let Some(name) = &provider.protocol else {
        return;
    };
    let simulated = llm::providers::find(&provider.kind).filter(|kind| kind.simulated);
    let codecs = simulated.map_or(llm::codecs::all(), |kind| kind.codecs);
    let names: Vec<&str> = codecs
        .iter()
        .map(|codec| codec.protocol().as_str())
        .collect();
    if !names.contains(&name.as_str()) {
        let hint = did_you_mean(name, &names);
        reader.problem(path, format!("unknown protocol \"{name}\"; {hint}"));
    }
}

/// Messages do not repeat the address: it may hold a password.
pub(super) fn check_base_url(url: &str) -> Result<(), &'static str> {
    let uri: Uri = url
        .parse()
        .map_err(|_| "not a URL; expected one such as \"https://llm.example.com/v1\"")?;
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let known = [Some(&Scheme::HTTP), Some(&Scheme::HTTPS)].contains(&uri.scheme());
    if !known || uri.host().unwrap_or_default().is_empty() {
        return Err("expected a URL that begins with \"http://\" or \"https://\"");
    }
    if authority.contains('@') {
        return Err("holds a user name or password; write them as api_key or headers instead");
    }
    if uri.query().is_some() || url.contains('#') {
        return Err("must end with its path, without \"?\" or \"#\"");
    }
    Ok(())
}

fn check_header(name: &str) -> Result<(), String> {
    let header: HeaderName = name
        .parse()
        .map_err(|_| format!("\"{name}\" is no header's name"))?;
    if OWN_HEADERS.contains(&header.as_str()) {
        return Err("the gateway sets this header itself; leave it out".to_owned());
    }
    Ok(())
}
