//! Numbers that must not be zero, or beyond all measure.

use std::time::Duration;

use crate::config::Config;
use crate::config::reading::Reader;

/// More than a machine has sockets for.
const MOST_CONCURRENT_REQUESTS: usize = 10_000_000;
/// A record takes up to about 1 kB of memory: this many are gigabytes.
const MOST_QUEUED_RECORDS: usize = 10_000_000;

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let mut at_most = |path: &str, number: usize, most: usize| {
        if number > most {
            reader.problem(path, format!("must be at most {most}"));
        }
    };
    at_most(
        "server.max_concurrent_requests",
        config.server.max_concurrent_requests,
        MOST_CONCURRENT_REQUESTS,
    );
    at_most(
        "recording.queue_size",
        config.recording.queue_size,
        MOST_QUEUED_RECORDS,
    );

    let mut at_least_one = |path: &str, number: u64| {
        if number == 0 {
            reader.problem(path, "must be at least 1");
        }
    };
    let server = &config.server;
    at_least_one("server.max_body_size", server.max_body_size.0);
    at_least_one(
        "server.max_concurrent_requests",
        server.max_concurrent_requests as u64,
    );
    at_least_one("recording.queue_size", config.recording.queue_size as u64);
    for (i, model) in config.models.iter().enumerate() {
        let attempts = model.max_attempts.unwrap_or(1);
        at_least_one(&format!("models[{i}].max_attempts"), attempts.into());
        let tokens = model.max_input_tokens.unwrap_or(1);
        at_least_one(&format!("models[{i}].max_input_tokens"), tokens);
        let failures = model.breaker.failures;
        at_least_one(&format!("models[{i}].breaker.failures"), failures.into());
        for (n, target) in model.targets.iter().enumerate() {
            let calls = target.max_concurrent.unwrap_or(1);
            at_least_one(
                &format!("models[{i}].targets[{n}].max_concurrent"),
                calls.into(),
            );
        }
    }

    for (i, provider) in config.providers.iter().enumerate() {
        let calls = provider.max_concurrent.unwrap_or(1);
        at_least_one(&format!("providers[{i}].max_concurrent"), calls.into());
    }

    let mut not_zero = |path: &str, duration: Option<Duration>| {
        if duration.is_some_and(|duration| duration.is_zero()) {
            reader.problem(path, "must be more than 0");
        }
    };
    not_zero("admin.session_ttl", Some(config.admin.session_ttl));
    not_zero("admin.session_idle", Some(config.admin.session_idle));
    let waits = &server.timeouts;
    not_zero("server.timeouts.connect", Some(waits.connect));
    not_zero("server.timeouts.first_byte", Some(waits.first_byte));
    not_zero("server.timeouts.first_token", waits.first_token);
    not_zero("server.timeouts.between_chunks", Some(waits.between_chunks));
    not_zero("server.timeouts.total", Some(waits.total));
    for (i, provider) in config.providers.iter().enumerate() {
        let waits = &provider.timeouts;
        let path = format!("providers[{i}].timeouts");
        not_zero(&format!("{path}.connect"), waits.connect);
        not_zero(&format!("{path}.first_byte"), waits.first_byte);
        not_zero(&format!("{path}.first_token"), waits.first_token);
        not_zero(&format!("{path}.between_chunks"), waits.between_chunks);
        not_zero(&format!("{path}.total"), waits.total);
        let path = format!("providers[{i}].health");
        not_zero(&format!("{path}.interval"), Some(provider.health.interval));
        not_zero(&format!("{path}.timeout"), Some(provider.health.timeout));
    }
    for (i, model) in config.models.iter().enumerate() {
        let path = format!("models[{i}].breaker");
        not_zero(&format!("{path}.window"), Some(model.breaker.window));
        not_zero(&format!("{path}.cool_down"), Some(model.breaker.cool_down));
    }
}
