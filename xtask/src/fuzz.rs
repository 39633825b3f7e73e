//! `cargo xtask fuzz`: every fuzz target for a while.
//!
//! cargo-fuzz does the same and more, with a nightly compiler; what libFuzzer itself needs, counters at
//! every edge, this compiler has too.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::Mutex,
    thread,
};

use anyhow::{Context, Result, bail};

use crate::cargo::{Workspace, host, run};

/// Counters and comparisons as libFuzzer reads them, and checks that a release build leaves out.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions=on",
    "-Coverflow-checks=on",
];

/// Runs each target, or the one named, for this many seconds. What crashes one is kept in
/// `<target dir>/fuzz/found`.
pub fn fuzz(seconds: u32, only: Option<&str>) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let package = workspace.root.join("server/fuzz");
    let folder = workspace.target.join("fuzz");
    let mut targets = targets(&package)?;
    if let Some(only) = only {
        targets.retain(|target| target == only);
        if targets.is_empty() {
            bail!("there is no fuzz target `{only}`");
        }
    }

    let host = host()?;
    run(workspace
        .cargo()
        .args(["build", "--release", "--bins", "--target", &host])
        .arg("--manifest-path")
        .arg(package.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&folder)
        .env("RUSTFLAGS", FLAGS.join(" ")))
    .context("the fuzz targets cannot be built")?;

    let session = Session {
        binaries: folder.join(host).join("release"),
        corpus: folder.join("corpus"),
        found: folder.join("found"),
        seeds: workspace.root.join("server/llm/tests/fixtures"),
        seconds,
    };
    fs::create_dir_all(&session.found)?;
    let failed = session.run(targets);
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for error in &failed {
        eprintln!("xtask: {error:#}");
    }
    Ok(ExitCode::FAILURE)
}

struct Session {
    binaries: PathBuf,
    /// What a target has found worth keeping, a folder each.
    corpus: PathBuf,
    found: PathBuf,
    seeds: PathBuf,
    seconds: u32,
}

impl Session {
    /// As many at a time as there are cores.
    fn run(&self, targets: Vec<String>) -> Vec<anyhow::Error> {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let waiting = Mutex::new(targets);
        let next = || waiting.lock().map_or(None, |mut waiting| waiting.pop());
        let work = || {
            let mut failed = Vec::new();
            while let Some(target) = next() {
                failed.extend(self.one(&target).err());
            }
            failed
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().expect("a worker does not panic"))
                .collect()
        })
    }

    fn one(&self, target: &str) -> Result<()> {
        let corpus = self.corpus.join(target);
        fs::create_dir_all(&corpus)?;
        let log = self.found.join(format!("{target}.log"));
        let status = Command::new(self.binaries.join(target))
            .arg(format!("-max_total_time={}", self.seconds))
            .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"])
            .arg(format!(
                "-artifact_prefix={}/{target}-",
                self.found.display()
            ))
            .arg(&corpus)
            .arg(&self.seeds)
            .stdout(fs::File::create(&log)?)
            .stderr(fs::File::options().append(true).open(&log)?)
            .status()
            .with_context(|| format!("cannot run the fuzz target {target}"))?;
        let said = fs::read_to_string(&log).unwrap_or_default();
        if !status.success() {
            let from = said.len().saturating_sub(3000);
            let tail = &said[said.ceil_char_boundary(from)..];
            bail!("the fuzz target {target} failed ({status}):\n{tail}");
        }
        let count = said
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
            .map_or("?", str::trim);
        eprintln!(
            "xtask: fuzzed {target}: {count} inputs in {} s",
            self.seconds
        );
        Ok(())
    }
}

/// The targets' names, from their files.
fn targets(package: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(package.join("fuzz_targets"))? {
        let path = entry?.path();
        if let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}
