//! Measures the gateway beside nginx as a plain reverse proxy, and beside no proxy at all.
//!
//! The process under test has one core, the mock upstream and the load generator share another.
//! Gateway and nginx take turns and the middle of the rounds counts, for machines are noisy.
//! Absolute times mean little on a shared machine; the ratio within one run does.

mod client;
mod http;
mod load;
mod measure;
mod mock;
mod policies;
mod proxy;
mod report;
mod scenarios;

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};

use crate::{
    load::Target,
    proxy::{CORES, Proxy},
    scenarios::{MODELS, Scenario},
};

#[derive(Debug, Parser)]
struct Cli {
    /// The gateway's binary, built in release
    binary: PathBuf,
    /// Also write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// One short round instead of five
    #[arg(long)]
    quick: bool,
    /// Only these scenarios
    #[arg(long, value_name = "SCENARIO")]
    only: Vec<Scenario>,
}

/// The processes that are measured, and what they are measured with.
struct Bench {
    binary: PathBuf,
    nginx_binary: Option<PathBuf>,
    quick: bool,
    upstream: SocketAddr,
    gateway: Proxy,
    nginx: Option<Proxy>,
}

impl Bench {
    fn start(cli: &Cli) -> Result<Self> {
        let upstream = mock::start()?;
        let nginx_binary = proxy::find_nginx();
        let start_nginx = |binary: &PathBuf| Proxy::nginx(binary, upstream);
        let mut bench = Self {
            binary: fs::canonicalize(&cli.binary)
                .with_context(|| format!("no gateway at {}", cli.binary.display()))?,
            quick: cli.quick,
            upstream,
            gateway: Proxy::gateway(&cli.binary, upstream, &MODELS, policies::DEFAULT)?,
            nginx: nginx_binary.as_ref().map(start_nginx).transpose()?,
            nginx_binary,
        };
        bench.wait()?;
        Ok(bench)
    }

    fn wait(&mut self) -> Result<()> {
        self.gateway.wait().context("the gateway does not start")?;
        if let Some(nginx) = &mut self.nginx {
            nginx.wait().context("nginx does not start")?;
        }
        Ok(())
    }

    fn start_gateway(&self) -> Result<Proxy> {
        Proxy::gateway(&self.binary, self.upstream, &MODELS, policies::DEFAULT)
    }

    /// One with these policies.
    fn start_with(&self, policies: &str) -> Result<Proxy> {
        let mut proxy = Proxy::gateway(&self.binary, self.upstream, &MODELS, policies)?;
        proxy
            .wait()
            .context("the gateway with policies does not start")?;
        Ok(proxy)
    }

    fn start_nginx(&self) -> Result<Option<Proxy>> {
        let start = |binary| Proxy::nginx(binary, self.upstream);
        self.nginx_binary.as_deref().map(start).transpose()
    }

    fn rounds(&self) -> usize {
        if self.quick { 1 } else { 5 }
    }

    fn gateway(&self) -> Target {
        self.gateway.target()
    }

    fn nginx(&self) -> Option<Target> {
        self.nginx.as_ref().map(Proxy::target)
    }

    fn direct(&self) -> Target {
        Target {
            address: self.upstream,
            processes: None,
            is_nginx: false,
        }
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    if std::thread::available_parallelism()?.get() < 2 {
        bail!("two cores are needed: one for the proxy, one for the load");
    }
    measure::pin(CORES[1])?;
    let start = Instant::now();
    let mut bench = Bench::start(cli)?;
    if bench.nginx.is_none() {
        eprintln!("bench: nginx is not installed: no ratios (apt-get install nginx-light)");
    }
    let wanted: Vec<Scenario> = Scenario::value_variants()
        .iter()
        .copied()
        .filter(|scenario| cli.only.is_empty() || cli.only.contains(scenario))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for scenario in wanted {
        eprintln!("bench: {scenario:?} …");
        match runtime.block_on(scenarios::run(&mut bench, scenario)) {
            Ok(more) => rows.extend(more),
            Err(error) => {
                eprintln!("bench: {scenario:?} failed: {error:#}");
                failed.push(format!("{scenario:?}"));
            }
        }
        // Records and rollups of one scenario are not to be paid by the next.
        std::thread::sleep(Duration::from_millis(300));
    }

    println!("{}", report::table(&rows));
    let verdicts: Vec<bool> = rows.iter().filter_map(report::Row::reached).collect();
    let reached = verdicts.iter().filter(|reached| **reached).count();
    println!(
        "{reached} of {} limits reached, {:.0} s",
        verdicts.len(),
        start.elapsed().as_secs_f64()
    );
    if let Some(path) = &cli.json {
        let figures = serde_json::json!({ "quick": cli.quick, "failed": failed, "rows": rows });
        fs::write(path, serde_json::to_vec_pretty(&figures)?)?;
    }
    if !failed.is_empty() {
        bail!("these scenarios failed: {}", failed.join(", "));
    }
    Ok(())
}
