//! Every fault, streaming or not, with another target or without, for clients of two dialects: what the
//! client sees, after how long, and how many calls that took. Published as `docs/faults.md`.

mod client;
mod table;
mod waits;

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::StreamExt;
use llm::simulated::Fault;
use serde_json::Value;
use server::config::{Config, Model, Provider};
use sqlx::Row;

use self::client::{Client, Seen};
use self::table::Table;
use self::waits::Wait;
use crate::test_app::{TestApp, model, simulated};

/// More at a time would make each other late.
const AT_A_TIME: usize = 48;

/// One place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Its place in [`Fault::WORDS`].
    fault: usize,
    stream: bool,
    /// A healthy target stands behind the faulty one.
    failover: bool,
    client: Client,
}

/// What happened there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cell {
    seen: Seen,
    wait: Wait,
    /// Of upstreams.
    calls: usize,
}

impl Place {
    fn all() -> Vec<Self> {
        let mut places = Vec::new();
        for fault in 0..Fault::WORDS.len() {
            for stream in [false, true] {
                for failover in [false, true] {
                    for client in Client::ALL {
                        places.push(Self {
                            fault,
                            stream,
                            failover,
                            client,
                        });
                    }
                }
            }
        }
        places
    }

    fn fault(self) -> Fault {
        Fault::WORDS[self.fault].1
    }

    /// The model asked for, and the provider: nobody else's failures count there.
    fn name(self) -> String {
        let stream = if self.stream { "stream" } else { "whole" };
        let failover = if self.failover { "failover" } else { "alone" };
        let client = self.client.name();
        format!("{}-{stream}-{failover}-{client}", self.fault().name())
    }

    fn provider(self) -> Provider {
        let mut provider = simulated(&self.name(), self.fault());
        provider.simulated.delay_ms = waits::LATE.as_millis() as u64;
        provider
    }

    fn model(self) -> Model {
        let name = self.name();
        let targets = [&*name, "healthy"];
        model(
            &name,
            if self.failover {
                &targets
            } else {
                &targets[..1]
            },
        )
    }

    /// Something of the reply has gone out before the fault shows: the client has to be told of it.
    fn breaks_midway(self) -> bool {
        let late = [Fault::Stall, Fault::Cut, Fault::ErrorInStream];
        self.stream && late.contains(&self.fault())
    }

    /// The request is to blame, not the target.
    fn is_the_clients(self) -> bool {
        let own = [
            Fault::InvalidRequest,
            Fault::ContextLength,
            Fault::ContentFilter,
        ];
        own.contains(&self.fault())
    }

    /// What must hold, whatever is published.
    fn judge(self, cell: &Cell) -> Result<(), String> {
        let right = match (&cell.seen, self.fault()) {
            (Seen::Answer, Fault::None) => true,
            (Seen::Answer, _) => self.failover && !self.breaks_midway() && !self.is_the_clients(),
            (Seen::Midway { .. }, _) => self.breaks_midway(),
            (Seen::Refused { status, .. }, _) => {
                *status >= 400 && !self.breaks_midway() && (!self.failover || self.is_the_clients())
            }
            (Seen::Lost(_), _) => false,
        };
        if right {
            return Ok(());
        }
        Err(format!("{}: {cell:?}", self.name()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_has_its_outcome() {
    let places = Place::all();
    let mut providers: Vec<Provider> = places.iter().map(|place| place.provider()).collect();
    providers.push(simulated("healthy", Fault::None));
    let mut config = Config {
        providers,
        models: places.iter().map(|place| place.model()).collect(),
        ..Config::default()
    };
    waits::set(&mut config);
    let app = TestApp::start(config).await;

    let ask = async |place: Place| {
        let request = place.client.request(&app, &place.name(), place.stream);
        let started = Instant::now();
        let seen = place.client.read(request.send().await).await;
        (place, seen, Wait::of(started.elapsed()))
    };
    let asked: Vec<_> = futures_util::stream::iter(places)
        .map(ask)
        .buffer_unordered(AT_A_TIME)
        .collect()
        .await;

    app.flush().await;
    let rows = app
        .rows("SELECT requested_model, attempts FROM requests")
        .await;
    let attempts: BTreeMap<String, usize> = rows
        .iter()
        .map(|row| {
            let attempts: Value = serde_json::from_str(&row.get::<String, _>("attempts")).unwrap();
            let count = attempts.as_array().unwrap().len();
            (row.get("requested_model"), count)
        })
        .collect();
    let cells: BTreeMap<Place, Cell> = asked
        .into_iter()
        .map(|(place, seen, wait)| {
            let calls = attempts[&place.name()];
            (place, Cell { seen, wait, calls })
        })
        .collect();
    let wrong: Vec<String> = cells
        .iter()
        .filter_map(|(place, cell)| place.judge(cell).err())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    Table::of(&cells).check_docs();
}
