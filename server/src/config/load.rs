//! File and environment in, a checked [`Config`] out.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::check::check;
use super::document::{Table, from_toml, from_yaml};
use super::effective::Effective;
use super::file::{Choice, Format, choose};
use super::problem::{ConfigErrors, Problem, Source};
use super::reading::{Environment, Reader, Section};
use super::{
    Admin, Config, Database, Grpc, Key, Logging, Model, PriceOverride, Provider, Recording, Server,
    SystemPrompt, compat,
};

/// A configuration that may be started with.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file that was read; `None`: there was none.
    pub file: Option<PathBuf>,
    /// What is worth a word to the operator at the start.
    pub warnings: Vec<Problem>,
    /// Every key with its value, secrets masked, and where it comes from.
    pub effective: Effective,
}

/// Reads the configuration of this process.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(choice: &Choice) -> Result<Loaded, ConfigErrors> {
    load_from(choice, &Environment::of_process())
}

/// Reads the configuration as a process with this environment would.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_from(choice: &Choice, environment: &Environment) -> Result<Loaded, ConfigErrors> {
    let chosen = choose(choice, environment).map_err(|problem| only(vec![problem]))?;
    let Some((path, format, warnings)) = chosen else {
        return build(&Table::default(), None, environment);
    };
    let text = read(&path, environment)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let document = match format {
        Format::Toml => from_toml(text),
        Format::Yaml => from_yaml(text),
    };
    let line = |line| Source::File {
        file: path.display().to_string(),
        line,
    };
    let document = document.map_err(|errors| {
        let problems = errors.into_iter().map(|error| Problem {
            source: line(error.line),
            path: String::new(),
            message: error.message,
        });
        only(problems.collect())
    })?;
    if let Some(format) = compat::recognised(&document) {
        return Err(only(vec![Problem {
            source: line(1),
            path: String::new(),
            message: format!(
                "this is another gateway's format ({format}), which this version does not read yet; write it in \
                 the native one: [server], [[providers]], [[models]], [[keys]]"
            ),
        }]));
    }
    let mut loaded = build(&document, Some(path), environment)?;
    loaded.warnings.extend(warnings);
    Ok(loaded)
}

fn read(path: &Path, environment: &Environment) -> Result<String, ConfigErrors> {
    std::fs::read_to_string(environment.resolve(path)).map_err(|error| {
        let why = match error.kind() {
            ErrorKind::NotFound => "there is no such file".to_owned(),
            ErrorKind::InvalidData => "the file is not UTF-8".to_owned(),
            _ => error.to_string(),
        };
        only(vec![Problem {
            source: Source::Default,
            path: String::new(),
            message: format!("{}: {why}", path.display()),
        }])
    })
}

fn only(problems: Vec<Problem>) -> ConfigErrors {
    ConfigErrors {
        problems,
        warnings: Vec::new(),
    }
}

fn build(
    document: &Table,
    file: Option<PathBuf>,
    environment: &Environment,
) -> Result<Loaded, ConfigErrors> {
    let name = file
        .as_deref()
        .map_or_else(String::new, |file| file.display().to_string());
    let mut reader = Reader::new(environment, name);
    let config = reader.read(document, Config::read);
    if file.is_some()
        && config.providers == [Provider::built_in()]
        && document.get("providers").is_none()
    {
        reader.warning(
            "providers",
            "there are none: the built-in simulated provider answers",
        );
    }
    check(&config, &mut reader);
    let Reader {
        effective,
        mut problems,
        warnings,
        ..
    } = reader;
    if !problems.is_empty() {
        problems.sort_by_key(|problem| match &problem.source {
            Source::File { line, .. } => (0, *line),
            Source::Variable(_) => (1, 0),
            Source::Default => (2, 0),
        });
        return Err(ConfigErrors { problems, warnings });
    }
    Ok(Loaded {
        config,
        file,
        warnings,
        effective,
    })
}

impl Config {
    fn read(root: &mut Section<'_, '_>) -> Self {
        Self {
            server: root.section("server", Server::read),
            admin: root.section("admin", Admin::read),
            grpc: root.section("grpc", Grpc::read),
            database: root.section("database", Database::read),
            recording: root.section("recording", Recording::read),
            logging: root.section("logging", Logging::read),
            system_prompt: root.section("system_prompt", SystemPrompt::read),
            providers: Provider::read_all(root),
            models: root
                .named_list("models", None, Model::read)
                .unwrap_or_default(),
            keys: root
                .named_list("keys", Some("key"), Key::read)
                .unwrap_or_default(),
            prices: root.list("prices", PriceOverride::read),
        }
    }
}
