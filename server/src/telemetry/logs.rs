//! The log: on standard error, so that standard output stays free for what was asked for, and to the services that it is
//! shipped to. What passes its filter is decided once for both, and can be changed while the gateway runs.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{DefaultFields, Format, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, format};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, reload};

use super::sinks::{Shipping, SinkLayer};
use crate::config::{LogFormat, Logging};

/// What of the log changes while the gateway runs. By default nobody sees the lines of it: what is shipped are requests.
#[derive(Clone, Debug, Default)]
pub struct Log {
    filter: Option<Arc<Filter>>,
    is_json: Arc<AtomicBool>,
    shipping: Arc<Shipping>,
}

#[derive(Debug)]
struct Filter {
    handle: reload::Handle<EnvFilter, Registry>,
    level: Mutex<String>,
}

impl Log {
    /// Starts logging for the whole process. Nothing is shipped before [`Shipping::begin`].
    ///
    /// # Errors
    /// The level is no filter, or logging was started before.
    pub fn start(logging: &Logging) -> anyhow::Result<Self> {
        let level = &logging.level;
        let filter =
            EnvFilter::try_new(level).with_context(|| format!("logging.level `{level}`"))?;
        let (filter, handle) = reload::Layer::new(filter);
        let log = Self {
            filter: Some(Arc::new(Filter {
                handle,
                level: Mutex::new(level.clone()),
            })),
            is_json: Arc::new(AtomicBool::new(logging.format == LogFormat::Json)),
            shipping: Arc::new(Shipping::keeping_early_lines()),
        };
        let mut lines = tracing_subscriber::fmt::layer()
            .event_format(Line::new(log.is_json.clone()))
            .with_writer(std::io::stderr);
        if !std::io::stderr().is_terminal() {
            // Colours are for people: in a file or a journal they would be noise.
            lines.set_ansi(false);
        }
        tracing_subscriber::registry()
            .with(filter)
            .with(SinkLayer::new(log.shipping.clone()))
            .with(lines)
            .try_init()
            .context("logging was started before")?;
        Ok(log)
    }

    /// Logs as this configuration says, from now on.
    pub fn put(&self, logging: &Logging) {
        self.is_json
            .store(logging.format == LogFormat::Json, Ordering::Relaxed);
        if let Some(filter) = &self.filter {
            filter.put(&logging.level);
        }
        self.shipping.put(logging);
    }

    pub fn shipping(&self) -> &Arc<Shipping> {
        &self.shipping
    }
}

impl Filter {
    fn put(&self, level: &str) {
        let mut now = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        if *now == level {
            return;
        }
        // All call sites are asked anew: those that are off stay as cheap as they were.
        let reloaded = EnvFilter::try_new(level)
            .map_err(anyhow::Error::from)
            .and_then(|filter| Ok(self.handle.reload(filter)?));
        match reloaded {
            Ok(()) => level.clone_into(&mut now),
            Err(error) => {
                tracing::error!(level, %error, "The log's level cannot be changed");
            }
        }
    }
}

/// How a line is written: one of two ways, which can be changed.
struct Line {
    is_json: Arc<AtomicBool>,
    json: Format<Json>,
    pretty: Format,
}

impl Line {
    fn new(is_json: Arc<AtomicBool>) -> Self {
        Self {
            is_json,
            // Spans would be written as the pretty lines have them, and there are none.
            json: format()
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false),
            pretty: format(),
        }
    }
}

impl<S> FormatEvent<S, DefaultFields> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    DefaultFields: for<'a> FormatFields<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, DefaultFields>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        match self.is_json.load(Ordering::Relaxed) {
            true => self.json.format_event(context, writer, event),
            false => self.pretty.format_event(context, writer, event),
        }
    }
}
