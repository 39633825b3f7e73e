//! File and environment in, a checked [`Config`] out.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::check::check;
use super::document::{Table, from_toml, from_yaml};
use super::effective::Effective;
use super::file::{Choice, Format, choose, places_of_others};
use super::problem::{ConfigErrors, Problem, Source};
use super::reading::{Environment, Reader, Section};
use super::{
    Admin, Alerts, Config, Database, Grpc, Key, Logging, Model, PriceOverride, Provider, Recording,
    Route, SecretKey, Server, UnitPriceOverride, budget, cache, compat, egress, guardrail, limit,
    payloads, project, system_prompt,
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
    let mut warnings = Vec::new();
    let parsed = match chosen {
        Some((path, ignored)) => {
            warnings = ignored;
            Some(parse(&path, environment)?)
        }
        None if *choice == Choice::Found => elsewhere(environment, &mut warnings),
        None => None,
    };
    let Some(parsed) = parsed else {
        let mut loaded = build(&Table::default(), None, environment, &[])?;
        loaded.warnings.extend(warnings);
        return Ok(loaded);
    };
    let mut loaded = match compat::recognised(&parsed.document, &parsed.path) {
        Some(format) => translated(format, parsed, environment)?,
        None => {
            let heeded = compat::references(&parsed.document);
            build(&parsed.document, Some(parsed.path), environment, &heeded)?
        }
    };
    loaded.warnings.extend(warnings);
    Ok(loaded)
}

/// A file's name and content.
#[derive(Debug)]
pub(super) struct Parsed {
    pub path: PathBuf,
    pub document: Table,
}

/// Reads a file, in the format that its name tells.
pub(super) fn parse(path: &Path, environment: &Environment) -> Result<Parsed, ConfigErrors> {
    let text = read(path, environment)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let document = match Format::of(path) {
        Some(Format::Yaml) => from_yaml(text),
        _ => from_toml(text),
    };
    let document = document.map_err(|errors| {
        let problems = errors.into_iter().map(|error| Problem {
            source: Source::File {
                file: path.display().to_string(),
                line: error.line,
            },
            path: String::new(),
            message: error.message,
        });
        only(problems.collect())
    })?;
    Ok(Parsed {
        path: path.to_owned(),
        document,
    })
}

/// A file where another gateway would look for it, if it is of its format.
fn elsewhere(environment: &Environment, warnings: &mut Vec<Problem>) -> Option<Parsed> {
    for path in places_of_others(environment) {
        let parsed = parse(&path, environment);
        match parsed {
            Ok(parsed) if compat::recognised(&parsed.document, &path).is_some() => {
                return Some(parsed);
            }
            _ => warnings.push(Problem {
                source: Source::Default,
                path: String::new(),
                message: format!(
                    "{} is not read: it is not of another gateway's format. Name it if it is meant: ai-gateway {0}",
                    path.display()
                ),
            }),
        }
    }
    None
}

/// A file of another gateway.
fn translated(
    format: &compat::Format,
    parsed: Parsed,
    environment: &Environment,
) -> Result<Loaded, ConfigErrors> {
    let file = parsed.path.display().to_string();
    let sheet = format.translate(&parsed.document, environment);
    let lost = sheet.warnings_in(&file);
    if !sheet.problems.is_empty() {
        return Err(ConfigErrors {
            problems: sheet.problems_in(&file),
            warnings: lost,
        });
    }
    let in_its_words = |problems: Vec<Problem>| -> Vec<Problem> {
        let problems = problems.into_iter();
        problems
            .map(|problem| sheet.in_its_words(problem))
            .collect()
    };
    let mut heeded = compat::references(&sheet.native);
    heeded.extend(sheet.variables.iter().cloned());
    match build(&sheet.native, Some(parsed.path), environment, &heeded) {
        Ok(mut loaded) => {
            loaded.warnings = in_its_words(loaded.warnings);
            loaded.warnings.extend(lost);
            Ok(loaded)
        }
        Err(errors) => Err(ConfigErrors {
            problems: in_its_words(errors.problems),
            warnings: in_its_words(errors.warnings),
        }),
    }
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

/// The configuration of a native document. Variables that it heeds besides those of keys are none to warn of.
pub(super) fn build(
    document: &Table,
    file: Option<PathBuf>,
    environment: &Environment,
    heeded: &[String],
) -> Result<Loaded, ConfigErrors> {
    let name = file
        .as_deref()
        .map_or_else(String::new, |file| file.display().to_string());
    let mut reader = Reader::new(environment, name);
    reader.heeded = heeded.to_vec();
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
            secret: root.section("secret", SecretKey::read),
            database: root.section("database", Database::read),
            recording: root.section("recording", Recording::read),
            logging: root.section("logging", Logging::read),
            alerts: root.section("alerts", Alerts::read),
            providers: Provider::read_all(root),
            routes: root.list("routes", Route::read),
            models: root
                .named_list("models", None, Model::read)
                .unwrap_or_default(),
            keys: root
                .named_list("keys", Some("key"), Key::read)
                .unwrap_or_default(),
            prices: root.list("prices", PriceOverride::read),
            unit_prices: root.list("unit_prices", UnitPriceOverride::read),
            projects: by_name(root, "projects", project::read),
            limits: by_name(root, "limits", limit::read),
            budgets: by_name(root, "budgets", budget::read),
            guardrails: guardrail::read_all(root),
            system_prompts: system_prompt::read_all(root),
            cache: root.section("cache", cache::read),
            egress: by_name(root, "egress", egress::read),
            payloads: root.section("payloads", payloads::read),
        }
    }
}

/// A list whose items are found by their names, which have to differ.
fn by_name<'a, T>(
    root: &mut Section<'_, 'a>,
    list: &str,
    mut read: impl FnMut(&mut Section<'_, 'a>) -> T,
) -> BTreeMap<String, T> {
    let items = root.named_list(list, None, |section, name| (name, read(section)));
    let mut found = BTreeMap::new();
    for (i, (name, item)) in items.unwrap_or_default().into_iter().enumerate() {
        if found.contains_key(&name) && !name.is_empty() {
            let message = format!("\"{name}\" is already the name of another; names must differ");
            let path = format!("{}[{i}].name", root.path_of(list));
            root.reader().problem(&path, message);
        }
        found.insert(name, item);
    }
    found
}
