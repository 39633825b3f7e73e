//! What single values cannot tell: whether they make sense together.

mod destinations;
mod keys;
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
    logging::check(config, reader);
    storage::check(config, reader);
    providers::check(config, reader);
    routes::check(config, reader);
    models::check(config, reader);
    prices::check(config, reader);
    destinations::check(config, reader);
    keys::check(config, reader);
}
