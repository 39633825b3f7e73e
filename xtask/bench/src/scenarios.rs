//! The scenarios, one function each: what is done, how often, and what it is held against.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};

use crate::{
    Bench,
    load::{self, Run, Target},
    measure::{Processes, median, percentile},
    policies,
    proxy::Proxy,
    report::{Limit, Row},
};

/// What `--only` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// 1,000 small requests a second, open loop
    Steady,
    /// The same with a key, limits, a budget, a system prompt, guardrails and the cache
    Policies,
    /// Closed loop over 32 connections
    Flat32,
    /// Closed loop over 256 connections
    Flat256,
    /// 200 streams of one chunk each 40 ms
    Paced,
    /// Streams of 500 chunks that arrive at once
    Burst,
    /// Time to the first token with 20 streams
    First,
    /// A chat history of 1 MB
    History,
    /// Chats in the other protocols, translated, whole and as streams
    Dialects,
    /// Resident memory, idle and with 256 connections
    Memory,
    /// From the start of the process to the first answer
    Startup,
    /// Size of the binary
    Size,
}

/// Names of models that the mock upstream understands.
pub const MODELS: [&str; 5] = [UNARY, PACED, SHORT, BURST, SHORT_BURST];
const UNARY: &str = "unary";
const PACED: &str = "paced-40-1000";
const SHORT: &str = "paced-20-3";
const BURST: &str = "burst-500";
const SHORT_BURST: &str = "burst-20";

/// The runs of a scenario by target, in rounds that take turns.
#[derive(Default)]
struct Runs {
    gateway: Vec<Run>,
    nginx: Vec<Run>,
    direct: Vec<Run>,
}

impl Runs {
    /// A figure of each round's run, and the middle one a target.
    fn row(
        &self,
        scenario: &'static str,
        figure: &str,
        unit: &'static str,
        limit: Option<Limit>,
        of: impl Fn(&Run) -> f64,
    ) -> Row {
        let middle = |runs: &[Run]| (!runs.is_empty()).then(|| median(runs.iter().map(&of)));
        Row {
            scenario,
            figure: figure.to_owned(),
            unit,
            gateway: middle(&self.gateway).unwrap_or(f64::NAN),
            nginx: middle(&self.nginx),
            direct: middle(&self.direct),
            limit,
        }
    }

    fn cpu(&self, scenario: &'static str, unit: &'static str, limit: f64) -> Row {
        let mut row = self.row(scenario, "CPU", unit, Some(Limit::Ratio(limit)), |run| {
            run.cpu_us
        });
        row.direct = None;
        row
    }

    fn latency(
        &self,
        scenario: &'static str,
        figure: &str,
        share: f64,
        limit: Option<Limit>,
    ) -> Row {
        self.row(scenario, figure, "ms", limit, |run| {
            percentile(&mut run.latencies_ms.clone(), share)
        })
    }

    /// What a proxy adds to a latency: its own less the direct one's.
    fn added(&self, scenario: &'static str, figure: &str, share: f64) -> Row {
        let mut row = self.latency(scenario, figure, share, None);
        let direct = row.direct.take().unwrap_or(0.0);
        row.gateway -= direct;
        row.nginx = row.nginx.map(|nginx| nginx - direct);
        row
    }
}

/// Does a scenario; its rows are in the order in which they are to be read.
pub async fn run(bench: &mut Bench, scenario: Scenario) -> Result<Vec<Row>> {
    let seconds = Duration::from_secs_f64(if bench.quick { 1.0 } else { 1.5 });
    let chat = chat(UNARY, false);
    Ok(match scenario {
        Scenario::Steady => {
            let runs = rounds(bench, async |to| {
                load::open_loop(to, &chat, 1000, seconds).await
            })
            .await?;
            vec![
                runs.cpu("steady 1,000/s", "µs/request", 1.5),
                runs.latency("steady 1,000/s", "latency p50", 0.5, None),
                runs.latency("steady 1,000/s", "latency p99", 0.99, None),
                runs.added("steady 1,000/s", "added latency p50", 0.5),
                runs.added("steady 1,000/s", "added latency p99", 0.99),
            ]
        }
        Scenario::Policies => with_policies(bench, seconds).await?,
        Scenario::Flat32 => flat(bench, "flat out, 32", &chat, 32, seconds).await?,
        Scenario::Flat256 => flat(bench, "flat out, 256", &chat, 256, seconds).await?,
        Scenario::Paced => {
            let body = self::chat(PACED, true);
            let gap = Duration::from_millis(40);
            let runs = rounds(bench, async |to| {
                if to.processes.is_none() {
                    return Ok(None);
                }
                load::paced_streams(to, &body, 200, gap, seconds)
                    .await
                    .map(Some)
            });
            vec![runs.await?.cpu("200 paced streams", "µs/chunk", 1.6)]
        }
        Scenario::Burst => {
            let body = self::chat(BURST, true);
            let runs = rounds(bench, async |to| {
                load::burst_streams(to, &body, 4, 500, seconds).await
            });
            vec![runs.await?.cpu("bursts of 500 chunks", "µs/chunk", 6.0)]
        }
        Scenario::First => {
            let body = self::chat(SHORT, true);
            let runs = rounds(bench, async |to| {
                load::first_tokens(to, &body, 20, seconds).await
            })
            .await?;
            vec![
                runs.latency(
                    "first token, 20 streams",
                    "p50",
                    0.5,
                    Some(Limit::Ratio(2.0)),
                ),
                runs.latency("first token, 20 streams", "p99", 0.99, None),
                runs.added("first token, 20 streams", "added p50", 0.5),
                runs.added("first token, 20 streams", "added p99", 0.99),
            ]
        }
        Scenario::History => {
            let body = history(UNARY, 1 << 20);
            let runs = rounds(bench, async |to| {
                load::closed_loop(to, &to.request(&body, false), 4, seconds).await
            });
            vec![runs.await?.cpu("1 MB history", "µs/request", 2.5)]
        }
        Scenario::Dialects => dialects(bench, seconds).await?,
        Scenario::Memory => memory(bench, &chat).await?,
        Scenario::Startup => startup(bench, &chat).await?,
        Scenario::Size => vec![size(&bench.binary)?],
    })
}

/// Lets gateway, nginx and no proxy at all take turns.
async fn rounds<R: Into<Option<Run>>>(
    bench: &Bench,
    load: impl AsyncFn(&Target) -> Result<R>,
) -> Result<Runs> {
    let mut runs = Runs::default();
    for _ in 0..bench.rounds() {
        let run = load(&bench.gateway()).await.context("gateway")?;
        runs.gateway.extend(run.into());
        if let Some(nginx) = bench.nginx() {
            runs.nginx
                .extend(load(&nginx).await.context("nginx")?.into());
        }
        let run = load(&bench.direct()).await.context("without a proxy")?;
        runs.direct.extend(run.into());
    }
    Ok(runs)
}

async fn flat(
    bench: &Bench,
    name: &'static str,
    body: &str,
    connections: usize,
    duration: Duration,
) -> Result<Vec<Row>> {
    let runs = rounds(bench, async |to| {
        load::closed_loop(to, &to.request(body, false), connections, duration).await
    })
    .await?;
    Ok(vec![
        runs.cpu(name, "µs/request", 3.0),
        runs.row(name, "throughput", "requests/s", None, |run| {
            run.count as f64 / run.seconds
        }),
        runs.latency(name, "latency p99", 0.99, None),
    ])
}

/// A gateway with every kind of policy beside one with none, not even the cache, and beside nginx.
///
/// At a steady rate all code is met with cold caches; flat out is what the policies' own work takes. Looking for an answer
/// in the cache is a policy's work; keeping those that come is an upstream's call that need not be made again. So the
/// ratios are with both, and what the policies may take is without.
async fn with_policies(bench: &Bench, duration: Duration) -> Result<Vec<Row>> {
    let body = about_a_kilobyte();
    let none = bench.start_with(policies::NO_CACHE)?;
    let without = none.target();
    let proxy = bench.start_with(&policies::all())?;
    let to = proxy.target();
    let steady = with_and_without(bench, &to, &without, async |to| {
        load::open_loop(to, &body, 1000, duration).await
    });
    let mut rows = costs("policies, 1,000/s", &steady.await?, Some(1.5), None);
    let flat_out =
        async |to: &Target| load::closed_loop(to, &to.request(&body, false), 32, duration).await;
    let flat = with_and_without(bench, &to, &without, flat_out).await?;
    rows.extend(costs("policies, flat out", &flat, Some(3.0), None));
    drop(proxy);
    let looked_up = policies::all() + policies::LOOK_UP_ALONE;
    let proxy = bench.start_with(&looked_up)?;
    let flat = with_and_without(bench, &proxy.target(), &without, flat_out).await?;
    rows.extend(costs("the same, nothing kept", &flat, None, Some(15.0)));
    drop(proxy);
    let proxy = bench.start_with(&policies::many())?;
    let many = with_and_without(bench, &proxy.target(), &without, flat_out).await?;
    rows.extend(costs("10,000 keys, 1,000 rules", &many, None, None));
    Ok(rows)
}

/// With policies, and beside it: without.
async fn with_and_without(
    bench: &Bench,
    with_policies: &Target,
    without_any: &Target,
    load: impl AsyncFn(&Target) -> Result<Run>,
) -> Result<(Runs, Vec<Run>)> {
    let mut without = Vec::new();
    let mut runs = Runs::default();
    for _ in 0..bench.rounds() {
        without.push(load(without_any).await.context("gateway")?);
        let run = load(with_policies).await;
        runs.gateway.push(run.context("gateway with policies")?);
        if let Some(nginx) = bench.nginx() {
            runs.nginx.push(load(&nginx).await.context("nginx")?);
        }
    }
    Ok((runs, without))
}

/// What requests cost with all policies, and what the policies do.
fn costs(
    scenario: &'static str,
    (runs, without): &(Runs, Vec<Run>),
    ratio: Option<f64>,
    most: Option<f64>,
) -> Vec<Row> {
    let mut costs = runs.row(
        scenario,
        "CPU with all",
        "µs/request",
        ratio.map(Limit::Ratio),
        |run| run.cpu_us,
    );
    costs.direct = None;
    let without = median(without.iter().map(|run| run.cpu_us));
    let added = Row {
        scenario,
        figure: "CPU of them all".to_owned(),
        unit: costs.unit,
        gateway: costs.gateway - without,
        nginx: None,
        direct: None,
        limit: most.map(Limit::Absolute),
    };
    vec![costs, added]
}

/// What it takes to speak another protocol with the client than with the upstream. nginx, which cannot, is no measure for it.
async fn dialects(bench: &Bench, duration: Duration) -> Result<Vec<Row>> {
    let gateway = bench.gateway();
    let mut rows = Vec::new();
    for (name, path, body) in translated() {
        let request = gateway.request_to(&path, &body);
        let mut runs = Runs::default();
        for _ in 0..bench.rounds() {
            let run = load::closed_loop(&gateway, &request, 32, duration).await;
            runs.gateway.push(run.context(name)?);
        }
        rows.push(runs.row("translated", name, "µs/request", None, |run| run.cpu_us));
    }
    Ok(rows)
}

/// The same chat in each of the other protocols, whole and as a stream: name, path and body.
fn translated() -> Vec<(&'static str, String, String)> {
    let said = format!(
        "Number {}: what is a gateway, and why would anyone want to put one in front of a language model?",
        load::DIGITS
    );
    let messages = |model: &str, stream: bool| {
        format!(
            r#"{{"model":"{model}","max_tokens":256,"system":"You answer in one sentence.","messages":[{{"role":"user","content":"{said}"}}],"stream":{stream}}}"#
        )
    };
    let responses = |model: &str, stream: bool| {
        format!(
            r#"{{"model":"{model}","max_output_tokens":256,"instructions":"You answer in one sentence.","input":"{said}","stream":{stream}}}"#
        )
    };
    let gemini = format!(
        r#"{{"systemInstruction":{{"parts":[{{"text":"You answer in one sentence."}}]}},"contents":[{{"role":"user","parts":[{{"text":"{said}"}}]}}],"generationConfig":{{"maxOutputTokens":256}}}}"#
    );
    vec![
        (
            "CPU, Messages",
            "/v1/messages".to_owned(),
            messages(UNARY, false),
        ),
        (
            "CPU, Messages as streams",
            "/v1/messages".to_owned(),
            messages(SHORT_BURST, true),
        ),
        (
            "CPU, Responses",
            "/v1/responses".to_owned(),
            responses(UNARY, false),
        ),
        (
            "CPU, Responses as streams",
            "/v1/responses".to_owned(),
            responses(SHORT_BURST, true),
        ),
        (
            "CPU, Gemini",
            format!("/v1beta/models/{UNARY}:generateContent"),
            gemini.clone(),
        ),
        (
            "CPU, Gemini as streams",
            format!("/v1beta/models/{SHORT_BURST}:streamGenerateContent?alt=sse"),
            gemini,
        ),
    ]
}

/// On fresh processes: what other scenarios left behind must not count. Nor do kept answers, where the load is: they
/// take what the operator allows them.
async fn memory(bench: &Bench, body: &str) -> Result<Vec<Row>> {
    let mut nginx = bench.start_nginx()?;
    if let Some(nginx) = &mut nginx {
        nginx.wait()?;
    }
    let nginx = nginx.as_ref().map(Proxy::target);
    let read = |target: Option<&Target>| -> Result<Option<(u64, u64)>> {
        let processes = target.and_then(|target| target.processes.as_ref());
        processes.map(Processes::memory).transpose()
    };
    let idle = {
        let gateway = bench.start_with(policies::DEFAULT)?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        [read(Some(&gateway.target()))?, read(nginx.as_ref())?]
    };
    let gateway = bench.start_with(policies::NO_CACHE)?;
    let gateway = gateway.target();
    let streams = chat(PACED, true);
    let gap = Duration::from_millis(40);
    for target in [Some(&gateway), nginx.as_ref()].into_iter().flatten() {
        let request = target.request(body, false);
        load::closed_loop(target, &request, 256, Duration::from_secs(2)).await?;
        load::paced_streams(target, &streams, 256, gap, Duration::from_secs(1)).await?;
    }
    let busy = [read(Some(&gateway))?, read(nginx.as_ref())?];
    let row = |figure: &str, values: [Option<u64>; 2], limit| Row {
        scenario: "memory",
        figure: figure.to_owned(),
        unit: "MB",
        gateway: values[0].map_or(f64::NAN, |bytes| bytes as f64 / 1e6),
        nginx: values[1].map(|bytes| bytes as f64 / 1e6),
        direct: None,
        limit: Some(Limit::Absolute(limit)),
    };
    Ok(vec![
        row("idle", idle.map(|pair| pair.map(|pair| pair.0)), 25.0),
        row(
            "peak, 256 connections",
            busy.map(|pair| pair.map(|pair| pair.1)),
            50.0,
        ),
    ])
}

async fn startup(bench: &Bench, body: &str) -> Result<Vec<Row>> {
    let count = if bench.quick { 3 } else { 7 };
    let (mut gateway, mut nginx) = (Vec::new(), Vec::new());
    for _ in 0..count {
        gateway.push(first_answer(bench.start_gateway()?, body).await?);
        if let Some(proxy) = bench.start_nginx()? {
            nginx.push(first_answer(proxy, body).await?);
        }
    }
    Ok(vec![Row {
        scenario: "start",
        figure: "to the first answer".to_owned(),
        unit: "ms",
        gateway: median(gateway),
        nginx: (!nginx.is_empty()).then(|| median(nginx)),
        direct: None,
        limit: Some(Limit::Absolute(100.0)),
    }])
}

/// Milliseconds from the process's start until a chat request is answered.
async fn first_answer(mut proxy: Proxy, body: &str) -> Result<f64> {
    proxy.wait()?;
    let target = proxy.target();
    let mut connection = crate::client::Connection::open(target.address).await?;
    connection
        .call(&target.request(body, false), |_| ())
        .await?;
    Ok(proxy.started.elapsed().as_secs_f64() * 1e3)
}

fn size(binary: &Path) -> Result<Row> {
    Ok(Row {
        scenario: "binary",
        figure: "size".to_owned(),
        unit: "MB",
        gateway: std::fs::metadata(binary)?.len() as f64 / 1e6,
        nginx: None,
        direct: None,
        limit: Some(Limit::Absolute(40.0)),
    })
}

/// A small chat request, in which each one has a number of its own: no answer is given again.
fn chat(model: &str, stream: bool) -> String {
    let stream = if stream { r#","stream":true"# } else { "" };
    format!(
        r#"{{"model":"{model}","messages":[{{"role":"system","content":"You answer in one sentence."}},{{"role":"user","content":"Number {}: what is a gateway, and why would anyone want to put one in front of a language model?"}}],"temperature":0.7,"max_tokens":256{stream}}}"#,
        load::DIGITS
    )
}

/// A chat request of 1 KB, numbered as [`chat`] is.
fn about_a_kilobyte() -> String {
    let said =
        "What is a gateway, and why would anyone want to put one in front of a language model? ";
    let text = said.repeat(9);
    format!(
        r#"{{"model":"{UNARY}","messages":[{{"role":"system","content":"You answer in one sentence."}},{{"role":"user","content":"{text}Number {}."}}],"temperature":0.7,"max_tokens":256}}"#,
        load::DIGITS
    )
}

/// A chat request, numbered as [`chat`] is, with a history of about so many bytes, with the escapes that real text has.
fn history(model: &str, bytes: usize) -> String {
    let said = r#"A gateway is a door in a wall.\n\nIt \"remembers\" who came, ünïcode and all: it lets through who has the key. "#
        .repeat(36);
    let mut body = format!(
        r#"{{"model":"{model}","messages":[{{"role":"system","content":"You answer in one sentence."}}"#
    );
    let mut user = true;
    while body.len() < bytes {
        let role = if user { "user" } else { "assistant" };
        body += &format!(r#",{{"role":"{role}","content":"{said}"}}"#);
        user = !user;
    }
    body += &format!(
        r#",{{"role":"user","content":"And why? (Number {}.)"}}],"temperature":0.7,"max_tokens":256}}"#,
        load::DIGITS
    );
    body
}
