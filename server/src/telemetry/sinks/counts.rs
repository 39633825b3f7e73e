//! How shipping fares, for Prometheus.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Sink {
    sink: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct Loss {
    sink: &'static str,
    reason: &'static str,
}

/// Of all services.
#[derive(Debug, Default)]
pub(super) struct Counts {
    shipped: Family<Sink, Counter>,
    dropped: Family<Loss, Counter>,
    waiting: Family<Sink, Gauge>,
}

/// Of one of them. It goes on counting when its service is configured anew.
#[derive(Clone, Debug)]
pub(super) struct SinkCounts {
    pub shipped: Counter,
    /// The queue was full.
    pub overflowed: Counter,
    /// The service does not take them.
    pub refused: Counter,
    /// It could not be reached for too long.
    pub unreached: Counter,
    pub waiting: Gauge,
}

impl Counts {
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "log_entries_shipped",
            "Entries of the log that a service has taken",
            self.shipped.clone(),
        );
        registry.register(
            "log_entries_dropped",
            "Entries of the log that a service will never get",
            self.dropped.clone(),
        );
        registry.register(
            "log_entries_waiting",
            "Entries of the log on their way to a service",
            self.waiting.clone(),
        );
    }

    pub fn of(&self, sink: &'static str) -> SinkCounts {
        let dropped = |reason| {
            let loss = Loss { sink, reason };
            self.dropped.get_or_create(&loss).clone()
        };
        let sink = Sink { sink };
        SinkCounts {
            shipped: self.shipped.get_or_create(&sink).clone(),
            overflowed: dropped("overflow"),
            refused: dropped("refused"),
            unreached: dropped("unreachable"),
            waiting: self.waiting.get_or_create(&sink).clone(),
        }
    }
}
