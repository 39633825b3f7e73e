//! Which file is read.

use std::path::PathBuf;

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

/// The file's name and format, with what is worth a warning; `None`: there is none to read.
pub(super) fn choose(
    choice: &Choice,
    environment: &Environment,
) -> Result<Option<(PathBuf, Format, Vec<Problem>)>, Problem> {
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

fn named(path: PathBuf, source: Source) -> Result<(PathBuf, Format, Vec<Problem>), Problem> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let format = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("toml") => Format::Toml,
        Some("yaml" | "yml") => Format::Yaml,
        _ => {
            return Err(Problem {
                source,
                path: String::new(),
                message: format!(
                    "{}: expected a file whose name ends in .toml, .yaml or .yml",
                    path.display()
                ),
            });
        }
    };
    Ok((path, format, Vec::new()))
}

/// `config/NAME.toml`, `.yaml` or `.yml`, the first that is there.
fn found(name: &str, environment: &Environment) -> Option<(PathBuf, Format, Vec<Problem>)> {
    let endings = [
        ("toml", Format::Toml),
        ("yaml", Format::Yaml),
        ("yml", Format::Yaml),
    ];
    let mut there = endings
        .iter()
        .map(|(ending, format)| (PathBuf::from(format!("config/{name}.{ending}")), *format))
        .filter(|(path, _)| environment.resolve(path).exists());
    let (path, format) = there.next()?;
    let ignored = there.map(|(other, _)| Problem {
        source: Source::Default,
        path: String::new(),
        message: format!(
            "{} is not read, since {} is",
            other.display(),
            path.display()
        ),
    });
    let warnings = ignored.collect();
    Some((path, format, warnings))
}
