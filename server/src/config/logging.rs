//! `[logging]`: what the gateway logs, and how it is written.

use super::reading::{Section, Words};

/// The log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// A level (`info`) or tracing's filter directives (`info,server::store=debug`).
    pub level: String,
    /// How a line is written.
    pub format: LogFormat,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person at a terminal.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::default(),
        }
    }
}

impl Logging {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            level: section.value("level", default.level),
            format: section.value("format", default.format),
        }
    }
}

impl Words for LogFormat {
    const NOUN: &'static str = "format";
    const WORDS: &'static [(&'static str, Self)] =
        &[("pretty", Self::Pretty), ("json", Self::Json)];
}
