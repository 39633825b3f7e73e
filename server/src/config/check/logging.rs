//! Filter directives of the log.
//! <https://docs.rs/tracing-subscriber/latest/tracing_subscriber/filter/struct.EnvFilter.html#directives>

use tracing_subscriber::EnvFilter;

use crate::config::Logging;
use crate::config::reading::{Reader, did_you_mean};

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

pub(super) fn check(logging: &Logging, reader: &mut Reader<'_>) {
    for directive in logging.level.split(',') {
        // A word alone would be taken as a module whose every line is logged: never what was meant.
        let level = match directive.trim().rsplit_once('=') {
            Some((_, level)) => level.trim(),
            None => directive.trim(),
        };
        let is_level = LEVELS.iter().any(|known| level.eq_ignore_ascii_case(known));
        if !is_level {
            let hint = did_you_mean(level, &LEVELS);
            let message = format!("unknown level \"{level}\"; {hint}");
            reader.problem("logging.level", message);
            return;
        }
    }
    if let Err(error) = EnvFilter::builder().parse(&logging.level) {
        let message =
            format!("{error}; expected a level or directives such as \"info,server=debug\"");
        reader.problem("logging.level", message);
    }
}
