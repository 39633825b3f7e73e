//! `cargo xtask test`: every test there is, or one part of them.
//!
//! What a part needs and cannot get is named, and the part fails: nothing is skipped in silence.

mod browser;
mod limited;
mod node;
mod processes;
mod providers;
mod python;
mod stage;

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use sha2::{Digest, Sha256};

use crate::{
    build::{self, GATEWAY},
    cargo::{Profile, Workspace},
    site,
};
use limited::run_within;
use stage::Stage;

/// Compiling everything, on a cold machine.
const COMPILING: Duration = Duration::from_secs(25 * 60);
/// All of `cargo test`, once it is compiled; documentation's examples compile while they run.
const CARGO_TEST: Duration = Duration::from_secs(10 * 60);
/// Each of pytest, Node's test runner and the browser.
const END_TO_END: Duration = Duration::from_secs(8 * 60);
/// Something from a package registry.
const FETCHING: Duration = Duration::from_secs(10 * 60);

/// What can be tested by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Everything
    All,
    /// `cargo test` of the whole workspace, documentation included
    Unit,
    /// The official SDKs for Python and Node
    E2e,
    /// The dashboard in a browser
    Browser,
}

/// Runs the tests; the first part that fails ends the run.
pub fn test(part: Part) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let gateway = match part {
        Part::All | Part::Unit => {
            // Compiled before the clock starts for the tests.
            let mut compile = workspace.cargo();
            compile.args(["test", "--workspace", "--no-run"]);
            run_within("compiling the tests", &mut compile, COMPILING)?;
            let mut test = workspace.cargo();
            test.args(["test", "--workspace"]);
            run_within("cargo test", &mut test, CARGO_TEST)?;
            site::build(&workspace, Profile::Debug)?;
            // The same selection as above: with another one, cargo would choose other features
            // for shared dependencies and compile half of them again.
            let mut build = workspace.cargo();
            build.args(["build", "--workspace", "--bins", "--tests"]);
            run_within("building the gateway", &mut build, COMPILING)?;
            workspace.target.join("debug").join(GATEWAY)
        }
        Part::E2e | Part::Browser => build::build(Profile::Debug, None)?,
    };
    if part == Part::Unit {
        return Ok(ExitCode::SUCCESS);
    }

    // First everything that has to be fetched: what is missing shows before the tests run.
    let python = python::Python::prepare(&workspace)?;
    let node = node::Node::prepare(&workspace, &python)?;
    let chromium = match part {
        Part::All | Part::Browser => Some(browser::find_chromium()?),
        Part::Unit | Part::E2e => None,
    };

    let stage = Stage::set(&workspace, &gateway, &python, &node)?;
    if matches!(part, Part::All | Part::E2e) {
        python.test(&stage)?;
        node.test("node", stage.variables())?;
    }
    if let Some(chromium) = chromium {
        let shots = workspace.target.join("screenshots");
        let mut variables = stage.variables();
        variables.push(("E2E_CHROMIUM", chromium.display().to_string()));
        variables.push(("E2E_SCREENSHOTS", shots.display().to_string()));
        node.test("browser", variables)?;
        eprintln!("xtask: screenshots are in {}", shots.display());
    }
    stage.strike()?;
    eprintln!("xtask: all tests passed");
    Ok(ExitCode::SUCCESS)
}

/// Does `work` unless it was done for the same `inputs`; `stamp` remembers.
fn once(stamp: &Path, inputs: &[u8], work: impl FnOnce() -> Result<()>) -> Result<()> {
    let hash = format!("{:x}", Sha256::digest(inputs));
    if fs::read_to_string(stamp).is_ok_and(|before| before == hash) {
        return Ok(());
    }
    work()?;
    fs::write(stamp, hash).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Installs Debian packages where that can be done: as root, with apt-get.
fn apt_install(packages: &[&str], purpose: &str) -> Result<()> {
    let wanted = packages.join(" ");
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let apt = Command::new("apt-get").arg("--version").output().is_ok();
    if !(root && apt) {
        bail!("{purpose} is missing; install it (Debian: apt-get install {wanted})");
    }
    eprintln!("xtask: {purpose} is missing: apt-get install {wanted}");
    let mut last = None;
    // A mirror may be in the middle of an update: try again.
    for _ in 0..3 {
        let mut update = Command::new("apt-get");
        update.args(["update", "-qq"]);
        let mut install = Command::new("apt-get");
        install
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "--yes", "--no-install-recommends", "-qq"])
            .args(packages);
        let install = run_within("apt-get update", &mut update, FETCHING)
            .and_then(|()| run_within("apt-get install", &mut install, FETCHING));
        match install {
            Ok(()) => return Ok(()),
            Err(error) => last = Some(error),
        }
        std::thread::sleep(Duration::from_secs(5));
    }
    let error = last.expect("three tries gave an error or returned");
    Err(error.context(format!(
        "{purpose} is missing and cannot be installed ({wanted})"
    )))
}
