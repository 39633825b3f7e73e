//! Python's side: a virtual environment of its own, and pytest.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use super::{END_TO_END, FETCHING, apt_install, limited::run_within, once, stage::Stage};
use crate::cargo::Workspace;

/// What is installed, and how: uv and pip know these arguments.
const REQUIREMENTS: [(&str, &[&str]); 2] = [
    ("requirements.txt", &[]),
    ("requirements-llama.txt", &["--no-deps"]),
];

/// The virtual environment with what `e2e/requirements*.txt` name.
#[derive(Debug)]
pub struct Python {
    pub interpreter: PathBuf,
    folder: PathBuf,
    tests: PathBuf,
}

impl Python {
    pub fn prepare(workspace: &Workspace) -> Result<Self> {
        let e2e = workspace.root.join("e2e");
        let folder = workspace.target.join("e2e/venv");
        let interpreter = folder.join("bin/python");
        let mut wanted = Vec::new();
        for (file, _) in REQUIREMENTS {
            let names = fs::read(e2e.join(file));
            wanted.extend(names.with_context(|| format!("cannot read e2e/{file}"))?);
        }
        once(&workspace.target.join("e2e/venv.stamp"), &wanted, || {
            eprintln!("xtask: making a Python environment in {}", folder.display());
            let base = find()?;
            let make = || {
                let mut venv = Command::new(&base);
                venv.args(["-m", "venv", "--clear"]).arg(&folder);
                run_within("python -m venv", &mut venv, FETCHING)
            };
            if make().is_err() {
                apt_install(&["python3-venv"], "Python's module venv")?;
                make()?;
            }
            // uv takes seconds where an old pip takes minutes.
            let pip = |arguments: &[&str]| {
                let mut command = Command::new(&interpreter);
                command
                    .args(["-m", "pip", "install", "--quiet"])
                    .args(arguments);
                run_within("pip install", &mut command, FETCHING)
            };
            pip(&["uv"])?;
            for (file, arguments) in REQUIREMENTS {
                let path = e2e.join(file).display().to_string();
                let arguments = [&["--requirement", &path], arguments].concat();
                let mut uv = Command::new(folder.join("bin/uv"));
                uv.args(["pip", "install", "--quiet", "--python"])
                    .arg(&interpreter)
                    .args(&arguments);
                run_within("uv pip install", &mut uv, FETCHING).or_else(|_| pip(&arguments))?;
            }
            Ok(())
        })?;
        Ok(Self {
            interpreter,
            folder,
            tests: e2e.join("python"),
        })
    }

    /// Installs a package besides those that everyone needs.
    pub fn install(&self, requirement: &str) -> Result<()> {
        // Inside: it goes when the environment is made anew.
        let stamp = self.folder.join(format!("{requirement}.stamp"));
        once(&stamp, requirement.as_bytes(), || {
            eprintln!("xtask: installing {requirement}");
            let mut pip = Command::new(&self.interpreter);
            pip.args(["-m", "pip", "install", "--quiet"])
                .arg(requirement);
            run_within("pip install", &mut pip, FETCHING)
        })
    }

    /// The folder that holds the files of an installed package.
    pub fn folder_of(&self, package: &str) -> Result<PathBuf> {
        let script = "import importlib.util as u, sys; print(*u.find_spec(sys.argv[1]).submodule_search_locations)";
        let output = Command::new(&self.interpreter)
            .args(["-c", script, package])
            .output()
            .context("cannot run the virtual environment's Python")?;
        if !output.status.success() {
            bail!("the Python package {package} is not installed");
        }
        Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
    }

    /// Runs all Python tests.
    pub fn test(&self, stage: &Stage) -> Result<()> {
        run_within(
            "pytest",
            Command::new(&self.interpreter)
                .args(["-B", "-m", "pytest"])
                .current_dir(&self.tests)
                .envs(stage.variables()),
            END_TO_END,
        )
    }
}

/// A Python that is new enough for the SDK.
fn find() -> Result<PathBuf> {
    let works = |name: &&str| {
        Command::new(name)
            .args(["-c", "import sys; sys.exit(sys.version_info < (3, 10))"])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let names = [
        "python3",
        "python3.13",
        "python3.12",
        "python3.11",
        "python3.10",
    ];
    if names.iter().find(|name| works(name)).is_none() {
        apt_install(&["python3", "python3-venv"], "Python 3.10 or newer")?;
    }
    match names.iter().find(|name| works(name)) {
        Some(name) => Ok(PathBuf::from(name)),
        None => bail!("Python 3.10 or newer is missing"),
    }
}
