//! Loads: open loop, closed loop, streams.

use std::{
    cell::Cell,
    net::SocketAddr,
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::{Result, bail};
use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::{client::Connection, measure::Processes};

/// The number of the next request.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// Who is asked, with what, and whose CPU time counts.
#[derive(Debug, Clone)]
pub struct Target {
    pub address: SocketAddr,
    /// `None` where there is no proxy.
    pub processes: Option<Processes>,
    pub is_nginx: bool,
}

/// What one run of a load gave.
#[derive(Debug, Default)]
pub struct Run {
    /// Requests, or chunks where a scenario is about chunks.
    pub count: usize,
    pub seconds: f64,
    /// CPU time of the proxy, microseconds per `count`.
    pub cpu_us: f64,
    /// Milliseconds, one a request.
    pub latencies_ms: Vec<f64>,
}

impl Target {
    fn cpu(&self) -> Result<Duration> {
        self.processes
            .as_ref()
            .map_or(Ok(Duration::ZERO), Processes::cpu)
    }

    /// Its CPU time once it has done what it put off: that is a part of what a request costs, and none of the next one's.
    async fn settled(&self) -> Result<Duration> {
        const LOOK: Duration = Duration::from_millis(50);
        const BUSY: Duration = Duration::from_millis(1);
        const MOST_LOOKS: usize = 100;
        let (mut before, mut quiet) = (self.cpu()?, 0);
        for _ in 0..MOST_LOOKS {
            // Records are written every 100 ms: once it is quiet for longer, they are.
            if self.processes.is_none() || quiet == 3 {
                break;
            }
            sleep(LOOK).await;
            let now = self.cpu()?;
            quiet = if now.saturating_sub(before) < BUSY {
                quiet + 1
            } else {
                0
            };
            before = now;
        }
        Ok(before)
    }

    /// A chat request as an SDK would send it.
    pub fn request(&self, body: &str, stream: bool) -> Vec<u8> {
        let folder = if self.is_nginx && stream {
            "/stream"
        } else {
            ""
        };
        self.request_to(&format!("{folder}/v1/chat/completions"), body)
    }

    /// The same to another of the gateway's endpoints.
    pub fn request_to(&self, path: &str, body: &str) -> Vec<u8> {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\n\
             Accept: application/json\r\nAccept-Encoding: identity\r\n\
             Content-Type: application/json\r\nUser-Agent: OpenAI/Python 2.0.0\r\n\
             X-Stainless-Lang: python\r\nX-Stainless-Package-Version: 2.0.0\r\n\
             X-Stainless-OS: Linux\r\nX-Stainless-Runtime: CPython\r\n\
             X-Stainless-Retry-Count: 0\r\nAuthorization: Bearer sk-client\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .into_bytes()
    }

    /// Connections over each of which a request was answered.
    async fn warm(&self, count: usize, request: &Numbered) -> Result<Vec<Connection>> {
        let mut request = request.clone();
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(Connection::open(self.address).await?);
        }
        for connection in &mut connections {
            connection.call(request.next(), |_| ()).await?;
        }
        Ok(connections)
    }
}

/// Stands in a body for digits that are different in each request.
pub const DIGITS: &str = "0000000000";

/// Writes other digits in the place of [`DIGITS`], if the request has one.
#[derive(Clone)]
struct Numbered {
    request: Vec<u8>,
    at: Option<usize>,
}

impl Numbered {
    fn new(request: &[u8]) -> Self {
        Self {
            at: memchr::memmem::find(request, DIGITS.as_bytes()),
            request: request.to_vec(),
        }
    }

    /// A request that none was like before.
    fn next(&mut self) -> &[u8] {
        if let Some(at) = self.at {
            let digits = format!("{:010}", NEXT.fetch_add(1, Ordering::Relaxed));
            self.request[at..at + DIGITS.len()].copy_from_slice(digits.as_bytes());
        }
        &self.request
    }
}

/// Sends `rate` requests a second whatever the answers do, over enough connections.
pub async fn open_loop(
    target: &Target,
    body: &str,
    rate: usize,
    duration: Duration,
) -> Result<Run> {
    const CONNECTIONS: usize = 50;
    let request = Numbered::new(&target.request(body, false));
    let connections = target.warm(CONNECTIONS, &request).await?;
    let before = target.settled().await?;
    let start = Instant::now();
    let each = rate * duration.as_millis() as usize / 1000 / CONNECTIONS;
    let gap = Duration::from_secs(1) / rate as u32;
    let request = &request;
    let tasks = connections
        .into_iter()
        .enumerate()
        .map(async |(index, mut connection)| {
            let mut request = request.clone();
            let mut latencies = Vec::with_capacity(each);
            for round in 0..each {
                let due = start + gap * (round * CONNECTIONS + index) as u32;
                // A timer that fires late is the load generator's fault; a reply that comes after
                // the next request was due is the proxy's.
                let late = Instant::now() > due;
                sleep_until(due).await;
                let sent = if late { due } else { Instant::now() };
                connection.call(request.next(), |_| ()).await?;
                latencies.push(sent.elapsed().as_secs_f64() * 1e3);
            }
            anyhow::Ok(latencies)
        });
    let latencies: Vec<f64> = try_join_all(tasks).await?.concat();
    let seconds = start.elapsed().as_secs_f64();
    let cpu = target.settled().await?.saturating_sub(before);
    finish(cpu, seconds, latencies.len(), latencies)
}

/// Every connection sends its next request as soon as the last one is answered.
pub async fn closed_loop(
    target: &Target,
    request: &[u8],
    connections: usize,
    duration: Duration,
) -> Result<Run> {
    let request = &Numbered::new(request);
    let connections = target.warm(connections, request).await?;
    let before = target.settled().await?;
    let start = Instant::now();
    let tasks = connections.into_iter().map(async |mut connection| {
        let mut request = request.clone();
        let mut latencies = Vec::new();
        while start.elapsed() < duration {
            let sent = Instant::now();
            connection.call(request.next(), |_| ()).await?;
            latencies.push(sent.elapsed().as_secs_f64() * 1e3);
        }
        anyhow::Ok(latencies)
    });
    let latencies: Vec<f64> = try_join_all(tasks).await?.concat();
    let seconds = start.elapsed().as_secs_f64();
    let cpu = target.settled().await?.saturating_sub(before);
    finish(cpu, seconds, latencies.len(), latencies)
}

/// Many paced streams at once; counted are the chunks of the time when all of them run.
pub async fn paced_streams(
    target: &Target,
    body: &str,
    streams: usize,
    gap: Duration,
    duration: Duration,
) -> Result<Run> {
    let request = &Numbered::new(&target.request(body, true));
    let seen = &Rc::new(Cell::new(0_usize));
    let warm = Duration::from_millis(700);
    let tasks = (0..streams).map(async |index| {
        sleep(gap * index as u32 / streams as u32).await;
        let mut connection = Connection::open(target.address).await?;
        let mut request = request.clone();
        let reply = connection.call(request.next(), |events| seen.set(seen.get() + events));
        // A stream lives longer than the measurement: that it goes on is all that is asked.
        match timeout(warm + duration + gap, reply).await {
            Ok(reply) => bail!("a stream ended too early: {:?}", reply?),
            Err(_) => anyhow::Ok(()),
        }
    });
    let measure = async {
        sleep(warm).await;
        let (chunks, before, start) = (seen.get(), target.cpu()?, Instant::now());
        sleep(duration).await;
        let cpu = target.cpu()?.saturating_sub(before);
        let seconds = start.elapsed().as_secs_f64();
        finish(cpu, seconds, seen.get() - chunks, Vec::new())
    };
    let (done, run) = tokio::join!(try_join_all(tasks), measure);
    done?;
    let run = run?;
    let expected = streams as f64 * run.seconds / gap.as_secs_f64();
    if (run.count as f64) < expected * 0.95 {
        bail!("only {} of {expected:.0} chunks arrived in time", run.count);
    }
    Ok(run)
}

/// Streams that arrive as a whole, one after the other on a few connections.
pub async fn burst_streams(
    target: &Target,
    body: &str,
    connections: usize,
    chunks: usize,
    duration: Duration,
) -> Result<Run> {
    let request = Numbered::new(&target.request(body, true));
    let connections = target.warm(connections, &request).await?;
    let before = target.settled().await?;
    let start = Instant::now();
    let request = &request;
    let tasks = connections.into_iter().map(async |mut connection| {
        let mut request = request.clone();
        let mut streams = 0;
        while start.elapsed() < duration {
            let reply = connection.call(request.next(), |_| ()).await?;
            if reply.events < chunks {
                bail!("{} events of {chunks} arrived", reply.events);
            }
            streams += 1;
        }
        anyhow::Ok(streams)
    });
    let streams: usize = try_join_all(tasks).await?.into_iter().sum();
    let seconds = start.elapsed().as_secs_f64();
    let cpu = target.settled().await?.saturating_sub(before);
    finish(cpu, seconds, streams * chunks, Vec::new())
}

/// Short paced streams over and over: how soon the first event is there.
pub async fn first_tokens(
    target: &Target,
    body: &str,
    streams: usize,
    duration: Duration,
) -> Result<Run> {
    let request = Numbered::new(&target.request(body, true));
    let connections = target.warm(streams, &request).await?;
    let before = target.settled().await?;
    let start = Instant::now();
    let request = &request;
    let tasks = connections
        .into_iter()
        .enumerate()
        .map(async |(index, mut connection)| {
            // Spread, so that streams do not start in step.
            sleep(Duration::from_micros(5300 * index as u64)).await;
            let mut request = request.clone();
            let mut latencies = Vec::new();
            while start.elapsed() < duration {
                let sent = std::time::Instant::now();
                let reply = connection.call(request.next(), |_| ()).await?;
                latencies.push((reply.first - sent).as_secs_f64() * 1e3);
                sleep(Duration::from_millis(3 + index as u64 % 7)).await;
            }
            anyhow::Ok(latencies)
        });
    let latencies: Vec<f64> = try_join_all(tasks).await?.concat();
    let seconds = start.elapsed().as_secs_f64();
    let cpu = target.settled().await?.saturating_sub(before);
    finish(cpu, seconds, latencies.len(), latencies)
}

fn finish(cpu: Duration, seconds: f64, count: usize, latencies_ms: Vec<f64>) -> Result<Run> {
    if count == 0 {
        bail!("nothing was answered");
    }
    Ok(Run {
        count,
        seconds,
        cpu_us: cpu.as_secs_f64() * 1e6 / count as f64,
        latencies_ms,
    })
}
