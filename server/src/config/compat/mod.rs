//! Configuration files of other gateways, one file a format: recognised by their shape, translated into the native
//! tree, every setting graded.

mod ballerina;
mod converter;
mod import;
mod kind;
mod litellm;
mod pool;
mod router;
mod secrets;
mod sheet;
mod source;
mod to_toml;

pub use import::{Imported, import};
pub(super) use secrets::references;

use std::path::Path;

use self::sheet::{Grade, Setting, Sheet, text};
use self::source::Source;
use super::document::{Table, Value};
use super::problem::{Problem, Source as Place};
use super::reading::Environment;

/// A format of another gateway.
#[derive(Debug)]
pub(super) struct Format {
    /// What it is called in messages.
    pub name: &'static str,
    is: fn(&Table) -> bool,
    translate: fn(&Table, &mut Sheet<'_>),
}

/// Of two that a file could be, the first.
static FORMATS: [&Format; 5] = [
    &litellm::FORMAT,
    &router::FORMAT,
    &converter::FORMAT,
    &ballerina::FORMAT,
    &pool::FORMAT,
];

/// The format of the document, if it is not the gateway's own.
pub(super) fn recognised(document: &Table, file: &Path) -> Option<&'static Format> {
    if document.get("providers").is_some() {
        return None;
    }
    // That name is nobody else's: an empty one still asks for a provider.
    let nameless = document.entries.is_empty() && file.file_name() == Some("Config.toml".as_ref());
    if nameless {
        return Some(&ballerina::FORMAT);
    }
    FORMATS.into_iter().find(|format| (format.is)(document))
}

impl Format {
    /// The native configuration of a document of this format.
    pub(super) fn translate<'e>(
        &self,
        document: &Table,
        environment: &'e Environment,
    ) -> Sheet<'e> {
        let mut sheet = Sheet::new(environment);
        (self.translate)(document, &mut sheet);
        keep_admin_apart(&mut sheet);
        sheet
    }
}

/// The formats know of no second listener, or of another port for it: theirs may be the native one's default.
fn keep_admin_apart(sheet: &mut Sheet<'_>) {
    let server = number(&sheet.native, "server", "port");
    if server.as_deref() == Some("8081") && number(&sheet.native, "admin", "port").is_none() {
        sheet.assume("admin.port", Value::Integer("8082".to_owned()));
    }
}

fn number(native: &Table, section: &str, key: &str) -> Option<String> {
    match &native.get(section)?.value {
        Value::Table(table) => match &table.get(key)?.value {
            Value::Integer(digits) | Value::Text(digits) => Some(digits.clone()),
            _ => None,
        },
        _ => None,
    }
}

impl Sheet<'_> {
    /// What is wrong with the file, in its own words.
    pub(super) fn problems_in(&self, file: &str) -> Vec<Problem> {
        let mut problems: Vec<_> = self.problems.iter().collect();
        problems.sort_by_key(|wrong| wrong.line);
        problems
            .into_iter()
            .map(|wrong| Problem {
                source: place(file, wrong.line),
                path: wrong.path.clone(),
                message: wrong.message.clone(),
            })
            .collect()
    }

    /// What the operator meant and does not get.
    pub(super) fn warnings_in(&self, file: &str) -> Vec<Problem> {
        let lost = |setting: &Setting| match &setting.grade {
            Grade::NotCarried(why) => Some(Problem {
                source: place(file, setting.line),
                path: setting.path.clone(),
                message: format!("not carried over: {why}"),
            }),
            _ => None,
        };
        self.settings.iter().filter_map(lost).collect()
    }

    /// The problem in the words of the foreign file, as far as it is about what came from there.
    pub(super) fn in_its_words(&self, mut problem: Problem) -> Problem {
        if let Place::Variable(_) = problem.source {
            return problem;
        }
        if let Some((path, rest)) = self.origin(&problem.path) {
            problem.path = path.to_owned();
            if !rest.is_empty() {
                problem.message = format!("{rest}: {}", problem.message);
            }
        }
        problem
    }
}

fn place(file: &str, line: usize) -> Place {
    Place::File {
        file: file.to_owned(),
        line,
    }
}

/// A table whose document nobody reads further: all of its keys are accounted for.
fn not_carried_table(source: &mut Source<'_>, key: &'static str, sheet: &mut Sheet<'_>, why: &str) {
    if let Some(said) = source.get(key) {
        sheet.not_carried_if_on(&said, why);
    }
}

/// Each request is answered anew where there was no cache.
fn no_cache(sheet: &mut Sheet<'_>) {
    sheet.assume("cache.enabled", Value::Bool(false));
}

/// Everywhere, as programs in containers listen.
fn listen_everywhere(sheet: &mut Sheet<'_>) {
    sheet.assume("server.host", text("0.0.0.0"));
}
