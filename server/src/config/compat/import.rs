//! `config import`: another gateway's file as a native one.

use std::fmt::Write as _;
use std::path::Path;

use super::secrets::{Moved, move_secrets, references};
use super::sheet::{Grade, Setting, Sheet};
use super::{Format, recognised, to_toml};
use crate::config::document::Table;
use crate::config::load::{Parsed, build, parse};
use crate::config::problem::{ConfigErrors, Problem, Source};
use crate::config::reading::Environment;

/// A native configuration that means the same.
#[derive(Clone, Debug)]
pub struct Imported {
    /// TOML with the grades of all settings before it, as comments. Secrets are variables.
    pub toml: String,
    /// What is not carried over.
    pub warnings: Vec<Problem>,
}

/// How a file orders what it says.
const ORDER: [&str; 9] = [
    "server",
    "admin",
    "logging",
    "recording",
    "providers",
    "routes",
    "models",
    "keys",
    "prices",
];

/// The file as a native configuration.
///
/// # Errors
/// It is of no format that is known, or something is wrong with it.
pub fn import(path: &Path, environment: &Environment) -> Result<Imported, ConfigErrors> {
    let parsed = parse(path, environment)?;
    let file = path.display().to_string();
    let Some(format) = recognised(&parsed.document, path) else {
        return Err(ConfigErrors {
            problems: vec![Problem {
                source: Source::File { file, line: 1 },
                path: String::new(),
                message: "this is none of the formats that are imported: LiteLLM's, the Ballerina gateway's, the provider \
                          pool's, the router's with [daemon] and [backends], the protocol converter's with [[upstreams]]; \
                          see docs/migration.md"
                    .to_owned(),
            }],
            warnings: Vec::new(),
        });
    };
    let mut sheet = format.translate(&parsed.document, environment);
    let warnings = sheet.warnings_in(&file);
    if !sheet.problems.is_empty() {
        return Err(ConfigErrors {
            problems: sheet.problems_in(&file),
            warnings,
        });
    }
    check(&sheet, &parsed, environment)?;
    let moved = move_secrets(&mut sheet);
    let toml = write(format, &file, &sheet, &moved);
    Ok(Imported { toml, warnings })
}

/// It must be one that the gateway starts with, once its variables are set.
fn check(
    sheet: &Sheet<'_>,
    parsed: &Parsed,
    environment: &Environment,
) -> Result<(), ConfigErrors> {
    let names = references(&sheet.native);
    let environment = environment.with_only(&names);
    match build(&sheet.native, Some(parsed.path.clone()), &environment, &[]) {
        Ok(_) => Ok(()),
        Err(errors) => Err(ConfigErrors {
            problems: errors
                .problems
                .into_iter()
                .map(|problem| sheet.in_its_words(problem))
                .collect(),
            warnings: errors.warnings,
        }),
    }
}

fn write(format: &Format, file: &str, sheet: &Sheet<'_>, moved: &[Moved]) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# {}, {}, as the gateway's own format.",
        one_line(file),
        format.name
    );
    type Is = fn(&Grade) -> bool;
    let grades: [(&str, Is); 4] = [
        ("Carried over exactly", |grade| *grade == Grade::Exact),
        ("Approximately", |grade| {
            matches!(grade, Grade::Approximate(_))
        }),
        ("Not carried over", |grade| {
            matches!(grade, Grade::NotCarried(_))
        }),
        ("Not carried over, and nothing is lost", |grade| {
            matches!(grade, Grade::WithoutEffect(_))
        }),
    ];
    for (title, is) in grades {
        let settings: Vec<&Setting> = sheet
            .settings
            .iter()
            .filter(|setting| is(&setting.grade))
            .collect();
        if settings.is_empty() {
            continue;
        }
        let _ = writeln!(out, "#\n# {title}:");
        for setting in settings {
            let _ = writeln!(out, "#   {}", one_line(&line(setting)));
        }
    }
    if !moved.is_empty() {
        let _ = writeln!(
            out,
            "#\n# Secrets that stood in the file; set these variables before the start:"
        );
        for secret in moved {
            let place = format!(
                "{}: {} (line {})",
                secret.variable, secret.path, secret.line
            );
            let _ = writeln!(out, "#   {}", one_line(&place));
        }
    }
    out.push_str(&to_toml::to_toml(&ordered(&sheet.native)));
    out
}

fn line(setting: &Setting) -> String {
    let mut line = format!("{} (line {})", setting.path, setting.line);
    if !setting.native.is_empty() {
        let _ = write!(line, " -> {}", setting.native);
    }
    match &setting.grade {
        Grade::Exact => {}
        Grade::Approximate(why) | Grade::NotCarried(why) | Grade::WithoutEffect(why) => {
            let _ = write!(line, ": {why}");
        }
    }
    line
}

/// A comment ends with its line.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn ordered(native: &Table) -> Table {
    let mut entries = native.entries.clone();
    entries.sort_by_key(|entry| {
        ORDER
            .iter()
            .position(|key| *key == entry.key)
            .unwrap_or(ORDER.len())
    });
    Table { entries }
}
