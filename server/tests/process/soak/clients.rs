//! Clients that ask without end, and read every answer to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::measure::Random;
use crate::process::SOON;

/// Failures that are told in full.
const TOLD: usize = 10;

pub struct Clients {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<Answered>,
}

/// What came of their requests.
#[derive(Debug, Default)]
pub struct Answered {
    pub requests: u64,
    pub answered: u64,
    pub slowest: Duration,
    pub failures: Vec<String>,
    total: Duration,
}

impl Clients {
    pub fn start(
        runtime: &Runtime,
        url: &str,
        models: &'static [&'static str],
        count: usize,
        seed: u64,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        let http = Client::builder().timeout(SOON).build().unwrap();
        for number in 0..count {
            let client = One {
                http: http.clone(),
                url: format!("{url}/v1/chat/completions"),
                models,
                random: Random(seed.wrapping_mul(1_000_003) + number as u64),
            };
            tasks.spawn_on(client.run(number, stop.clone()), runtime.handle());
        }
        Self { stop, tasks }
    }

    /// Lets each get its last answer; then their connections are closed.
    pub async fn stop(mut self) -> Answered {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Answered::default();
        while let Some(one) = self.tasks.join_next().await {
            all.add(one.unwrap());
        }
        all
    }
}

impl Answered {
    pub fn mean(&self) -> Duration {
        self.total / u32::try_from(self.requests.max(1)).unwrap()
    }

    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.answered += other.answered;
        self.slowest = self.slowest.max(other.slowest);
        self.total += other.total;
        self.failures.extend(other.failures);
        self.failures.truncate(TOLD);
    }
}

struct One {
    http: Client,
    url: String,
    models: &'static [&'static str],
    random: Random,
}

impl One {
    async fn run(mut self, number: usize, stop: Arc<AtomicBool>) -> Answered {
        let mut answered = Answered::default();
        while !stop.load(Ordering::Relaxed) {
            let word = format!("word-{number}-{}", answered.requests);
            let model = self.models[self.random.next() as usize % self.models.len()];
            let stream = self.random.next().is_multiple_of(2);
            let started = Instant::now();
            let outcome = self.ask(model, &word, stream).await;
            answered.requests += 1;
            answered.slowest = answered.slowest.max(started.elapsed());
            answered.total += started.elapsed();
            match outcome {
                Ok(text) if text.ends_with(&word) => answered.answered += 1,
                Ok(text) => answered
                    .failures
                    .push(format!("{word} was answered {text}")),
                Err(why) => answered.failures.push(format!("{model}, {stream}: {why}")),
            }
            let pause = Duration::from_millis(50 + self.random.next() % 100);
            tokio::time::sleep(pause).await;
        }
        answered.failures.truncate(TOLD);
        answered
    }

    /// The text of a complete answer, or what came in its place.
    async fn ask(&self, model: &str, word: &str, stream: bool) -> Result<String, String> {
        let body = json!({
            "model": model,
            "stream": stream,
            "messages": [{"role": "user", "content": word}],
        });
        let request = self.http.post(&self.url).body(body.to_string());
        let response = request.send().await.map_err(|error| error.to_string())?;
        let status = response.status();
        let text = response.text().await.map_err(|error| error.to_string())?;
        if status != 200 {
            return Err(format!("{status}: {text}"));
        }
        if !stream {
            let body: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            let content = &body["choices"][0]["message"]["content"];
            return content.as_str().map(str::to_owned).ok_or(text);
        }
        if !text.ends_with("data: [DONE]\n\n") {
            return Err(format!("a stream without an end: {text}"));
        }
        let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let pieces = events.filter_map(|event| {
            let event: Value = serde_json::from_str(event).ok()?;
            let piece = event["choices"][0]["delta"]["content"].as_str()?;
            Some(piece.to_owned())
        });
        Ok(pieces.collect())
    }
}
