//! Which file is read.

use std::path::{Path, PathBuf};

use super::problem::{Problem, Source};
use super::reading::Environment;

/// What the command line says about the configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// This file and no other.
    Named(PathBuf),
    /// `GATEWAY_CONFIG`; else `config/$GATEWAY_ENV.toml`; else `config/default.toml` if it is there.
    #[default]
    Found,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Toml,
    Yaml,
}

impl Format {
    /// What the file's name tells.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("toml") => Some(Self::Toml),
            Some("yaml" | "yml") => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// Where other gateways looked for their files, those that are there.
pub(super) fn places_of_others(environment: &Environment) -> Vec<PathBuf> {
    let places = [
        "Config.toml",
        "config.yaml",
        "config.yml",
        "/etc/ai-router/config.toml",
    ];
    let mut there: Vec<PathBuf> = places.into_iter().map(PathBuf::from).collect();
    there.retain(|path| environment.resolve(path).is_file());
    there
}

/// The file's name, with what is worth a warning; `None`: there is none to read.
pub(super) fn choose(
    choice: &Choice,
    environment: &Environment,
) -> Result<Option<(PathBuf, Vec<Problem>)>, Problem> {
    if let Choice::Named(path) = choice {
        return named(path.clone(), Source::Default).map(Some);
    }
    if let Some(path) = environment.given("GATEWAY_CONFIG") {
        let source = Source::Variable("GATEWAY_CONFIG".to_owned());
        return named(PathBuf::from(path), source).map(Some);
    }
    let Some(name) = environment.given("GATEWAY_ENV") else {
        return Ok(found("default", environment));
    };
    let wrong = |message: String| Problem {
        source: Source::Variable("GATEWAY_ENV".to_owned()),
        path: String::new(),
        message,
    };
    if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    {
        return Err(wrong(format!(
            "\"{name}\" is no name of an environment; expected one such as \"production\""
        )));
    }
    let missing = || {
        wrong(format!(
            "config/{name}.toml is missing (and .yaml, and .yml)"
        ))
    };
    found(name, environment).map(Some).ok_or_else(missing)
}

fn named(path: PathBuf, source: Source) -> Result<(PathBuf, Vec<Problem>), Problem> {
    if Format::of(&path).is_none() {
        return Err(Problem {
            source,
            path: String::new(),
            message: format!(
                "{}: expected a file whose name ends in .toml, .yaml or .yml",
                path.display()
            ),
        });
    }
    Ok((path, Vec::new()))
}

/// `config/NAME.toml`, `.yaml` or `.yml`, the first that is there.
fn found(name: &str, environment: &Environment) -> Option<(PathBuf, Vec<Problem>)> {
    let endings = ["toml", "yaml", "yml"];
    let mut there = endings
        .iter()
        .map(|ending| PathBuf::from(format!("config/{name}.{ending}")))
        .filter(|path| environment.resolve(path).exists());
    let path = there.next()?;
    let ignored = there.map(|other| Problem {
        source: Source::Default,
        path: String::new(),
        message: format!(
            "{} is not read, since {} is",
            other.display(),
            path.display()
        ),
    });
    let warnings = ignored.collect();
    Some((path, warnings))
}
