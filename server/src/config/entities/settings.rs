//! What of the gateway itself changes while it runs.

use serde_json::Value as Json;
use shared::policies::{FieldError, RecordingSettings, ServerSettings, Settings, TimeoutSettings};

use super::{read, written};
use crate::config::{Config, Recording, Server};

/// All of it as a configuration has it.
pub fn settings(config: &Config) -> Settings {
    let (server, recording) = (&config.server, &config.recording);
    let timeouts = &server.timeouts;
    Settings {
        server: ServerSettings {
            max_body_size: Some(written(&server.max_body_size)),
            max_concurrent_requests: Some(server.max_concurrent_requests as u64),
            strict: Some(server.strict),
            time_zone: Some(written(&server.time_zone)),
            assumed_output_tokens: Some(server.assumed_output_tokens),
            trusted_proxies: Some(server.trusted_proxies.iter().map(written).collect()),
            timeouts: TimeoutSettings {
                connect: Some(written(&timeouts.connect)),
                first_byte: Some(written(&timeouts.first_byte)),
                first_token: timeouts.first_token.as_ref().map(written),
                between_chunks: Some(written(&timeouts.between_chunks)),
                total: Some(written(&timeouts.total)),
            },
        },
        recording: RecordingSettings {
            retention_days: Some(recording.retention_days),
            minute_retention_days: Some(recording.minute_retention_days),
            hour_retention_days: Some(recording.hour_retention_days),
        },
    }
}

/// Puts them in place of a configuration's; what is left out stays.
///
/// # Errors
/// What is wrong with which field.
pub fn put_settings(config: &mut Config, changed: &Settings) -> Result<(), Vec<FieldError>> {
    let mut all = json(&settings(config));
    lay_over(&mut all, json(changed));
    let (server, recording) = read(&all, |root| {
        let server = root.section("server", Server::read);
        (server, root.section("recording", Recording::read))
    })?;
    let own = &mut config.server;
    own.max_body_size = server.max_body_size;
    own.max_concurrent_requests = server.max_concurrent_requests;
    own.strict = server.strict;
    own.time_zone = server.time_zone;
    own.assumed_output_tokens = server.assumed_output_tokens;
    own.trusted_proxies = server.trusted_proxies;
    own.timeouts = server.timeouts;
    let own = &mut config.recording;
    own.retention_days = recording.retention_days;
    own.minute_retention_days = recording.minute_retention_days;
    own.hour_retention_days = recording.hour_retention_days;
    Ok(())
}

/// What differs from a configuration: the rest stays its own, also when it changes.
pub fn different_settings(config: &Config, changed: &Settings) -> Settings {
    let mut own = config.clone();
    if put_settings(&mut own, changed).is_err() {
        return changed.clone();
    }
    let mut different = json(&settings(&own));
    without(&mut different, &json(&settings(config)));
    serde_json::from_value(different).unwrap_or_else(|_| changed.clone())
}

fn json(settings: &Settings) -> Json {
    serde_json::to_value(settings).expect("settings have string keys only")
}

fn lay_over(all: &mut Json, changed: Json) {
    match (all, changed) {
        (Json::Object(all), Json::Object(changed)) => {
            for (key, value) in changed {
                lay_over(all.entry(key).or_insert(Json::Null), value);
            }
        }
        (all, changed) => *all = changed,
    }
}

fn without(all: &mut Json, same: &Json) {
    if let (Json::Object(all), Json::Object(same)) = (all, same) {
        all.retain(|key, value| same.get(key) != Some(value));
        for (key, value) in all {
            if let Some(same) = same.get(key) {
                without(value, same);
            }
        }
    }
}
