//! What single values cannot tell: whether they make sense together.

mod limits;
mod listeners;
mod logging;
mod models;
mod names;
mod prices;
mod providers;
mod routes;
mod storage;
mod targets;

use super::Config;
use super::reading::Reader;

/// Adds to `reader` what is wrong with `config` as a whole.
pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    listeners::check(config, reader);
    limits::check(config, reader);
    logging::check(&config.logging, reader);
    storage::check(config, reader);
    providers::check(config, reader);
    routes::check(config, reader);
    models::check(config, reader);
    prices::check(config, reader);
    let keys: Vec<&str> = config.keys.iter().map(|key| key.name.as_str()).collect();
    names::check("keys", &keys, reader);
    keys_differ(config, reader);
}

/// One secret is one caller.
fn keys_differ(config: &Config, reader: &mut Reader<'_>) {
    for (i, key) in config.keys.iter().enumerate() {
        let Some(secret) = key.key.as_ref().filter(|key| !key.expose().is_empty()) else {
            continue;
        };
        let mut before = config.keys[..i].iter();
        if let Some(other) = before.find(|other| other.key.as_ref() == Some(secret)) {
            let message = format!(
                "the same key as \"{}\"; one of the two is of no use",
                other.name
            );
            reader.problem(&format!("keys[{i}].key"), message);
        }
    }
}
