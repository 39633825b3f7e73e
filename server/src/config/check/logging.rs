//! Filter directives of the log, and where it is shipped.
//! <https://docs.rs/tracing-subscriber/latest/tracing_subscriber/filter/struct.EnvFilter.html#directives>

use tracing_subscriber::EnvFilter;

use super::providers::check_base_url;
use crate::config::reading::{Reader, did_you_mean};
use crate::config::{Config, Destinations, Logging};

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let logging = &config.logging;
    if let Err(message) = check_level(&logging.level) {
        reader.problem("logging.level", message);
    }
    let destinations = Destinations::allowing(&config.server.allow_addresses);
    for (section, url) in logging.endpoints() {
        let path = format!("logging.{section}.endpoint");
        if let Err(message) = check_base_url(url) {
            reader.problem(&path, message);
        } else if let Err(message) = destinations.check_url(url) {
            reader.problem(&path, message);
        }
    }
    if let Err(message) = check_index(&logging.elasticsearch.index) {
        reader.problem("logging.elasticsearch.index", message);
    }
    check_secrets(logging, reader);
}

fn check_level(level: &str) -> Result<(), String> {
    for directive in level.split(',') {
        // A word alone would be taken as a module whose every line is logged: never what was meant.
        let level = match directive.trim().rsplit_once('=') {
            Some((_, level)) => level.trim(),
            None => directive.trim(),
        };
        let is_level = LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known));
        if !is_level {
            let hint = did_you_mean(level, &LEVELS);
            return Err(format!("unknown level \"{level}\"; {hint}"));
        }
    }
    let parsed = EnvFilter::builder().parse(level);
    parsed.map(drop).map_err(|error| {
        format!("{error}; expected a level or directives such as \"info,server=debug\"")
    })
}

/// <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-create>
fn check_index(index: &str) -> Result<(), &'static str> {
    let is_allowed = |c: char| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.' | '+')
    };
    let first = index.chars().next();
    if first.is_none_or(|first| matches!(first, '-' | '_' | '+' | '.'))
        || !index.chars().all(is_allowed)
        || index.len() > 255
    {
        return Err(
            "not an index's name; expected lower-case letters, digits, \"-\", \"_\" and \".\", such as \"ai-gateway\"",
        );
    }
    Ok(())
}

/// What is refused without them is still worth a try: a proxy may add them.
fn check_secrets(logging: &Logging, reader: &mut Reader<'_>) {
    let Logging {
        splunk, datadog, ..
    } = logging;
    let without = "missing: without one, entries are most likely refused";
    if splunk.enabled && splunk.endpoint.is_some() && splunk.token.is_none() {
        reader.warning("logging.splunk.token", without);
    }
    if datadog.enabled && datadog.endpoint.is_some() && datadog.api_key.is_none() {
        reader.warning("logging.datadog.api_key", without);
    }
}
