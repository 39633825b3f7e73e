//! From a line of the log to an entry.

use std::error::Error;
use std::fmt::{self, Debug};
use std::sync::Arc;

use chrono::Utc;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use uuid::Uuid;

use super::entry::{Entry, cut};
use super::quiet;
use super::shipping::Shipping;

/// Hands each line over that passes the log's filter. Nothing while nothing is shipped.
#[derive(Debug)]
pub struct SinkLayer {
    shipping: Arc<Shipping>,
}

impl SinkLayer {
    pub fn new(shipping: Arc<Shipping>) -> Self {
        Self { shipping }
    }
}

impl<S: Subscriber> Layer<S> for SinkLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // What shipping itself logs would be shipped for ever.
        if !self.shipping.is_on() || quiet::is_here() {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let component = fields
            .target
            .unwrap_or_else(|| metadata.target().to_owned());
        self.shipping.ship(Entry {
            id: Uuid::now_v7(),
            at: Utc::now(),
            level: *metadata.level(),
            component,
            message: fields.message,
            metadata: fields.others,
        });
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    /// Of what libraries log through the crate `log`.
    target: Option<String>,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            ("log.target", Value::String(text)) => self.target = Some(text),
            (name, _) if name.starts_with("log.") => {}
            // The raw identifier `r#type`
            (name, value) => {
                let name = name.strip_prefix("r#").unwrap_or(name);
                self.others.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, cut(value.to_owned()).into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, text(format_args!("{value}")).into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, text(format_args!("{value:?}")).into());
    }
}

fn text(arguments: fmt::Arguments<'_>) -> String {
    cut(arguments.to_string())
}
