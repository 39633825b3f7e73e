//! What one reading of the configuration gathers besides the values.

use std::collections::BTreeMap;

use super::Section;
use super::environment::Environment;
use super::nearest::nearest;
use crate::config::document::Table;
use crate::config::effective::Effective;
use crate::config::problem::{Problem, Source};

/// The file and the environment being read, and what was found.
#[derive(Debug)]
pub(in crate::config) struct Reader<'a> {
    pub(super) environment: &'a Environment,
    file: String,
    /// The variables that mean something, and the path of the key each means.
    variables: BTreeMap<String, String>,
    pub(in crate::config) effective: Effective,
    pub(in crate::config) problems: Vec<Problem>,
    pub(in crate::config) warnings: Vec<Problem>,
    /// Variables that are heeded though they override no key.
    pub(in crate::config) heeded: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Reads what `file` is called in messages.
    pub(in crate::config) fn new(environment: &'a Environment, file: String) -> Self {
        Self {
            environment,
            file,
            variables: BTreeMap::new(),
            effective: Effective::default(),
            problems: Vec::new(),
            warnings: Vec::new(),
            heeded: Vec::new(),
        }
    }

    /// Reads the whole document with `read`, and says which keys and variables nobody asked for.
    pub(in crate::config) fn read<R>(
        &mut self,
        document: &Table,
        read: impl FnOnce(&mut Section<'_, 'a>) -> R,
    ) -> R {
        let read = Section::root(self, document).finished(read);
        self.report_unknown_variables();
        read
    }

    pub(super) fn line(&self, line: usize) -> Source {
        Source::File {
            file: self.file.clone(),
            line,
        }
    }

    pub(super) fn report(&mut self, source: Source, path: String, message: String) {
        self.problems.push(Problem {
            source,
            path,
            message,
        });
    }

    /// A problem with the value at `path`, wherever that came from; unless something there is known to be wrong
    /// already, from which this one may only follow.
    pub(in crate::config) fn problem(&mut self, path: &str, message: impl Into<String>) {
        let is_there = |problem: &Problem| {
            let rest = problem.path.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if self.problems.iter().any(is_there) {
            return;
        }
        let source = self.effective.source_of(path);
        self.report(source, path.to_owned(), message.into());
    }

    /// A warning about the value at `path`, wherever that came from.
    pub(in crate::config) fn warning(&mut self, path: &str, message: impl Into<String>) {
        self.warnings.push(Problem {
            source: self.effective.source_of(path),
            path: path.to_owned(),
            message: message.into(),
        });
    }

    /// What the variable says about the key at `path`. One variable means one key.
    pub(super) fn variable(&mut self, name: &str, path: &str) -> Option<&'a str> {
        let other = self.variables.insert(name.to_owned(), path.to_owned());
        let given = self.environment.given(name)?;
        if let Some(other) = other.filter(|other| other != path) {
            self.report(
                Source::Variable(name.to_owned()),
                path.to_owned(),
                format!("the variable could also mean {other}; rename one of the two"),
            );
        }
        Some(given)
    }

    fn report_unknown_variables(&mut self) {
        let known: Vec<&str> = self.variables.keys().map(String::as_str).collect();
        let own = ["GATEWAY_ENV", "GATEWAY_CONFIG"];
        for (name, _) in self.environment.overrides() {
            let heeded = self.heeded.iter().any(|heeded| heeded == name);
            if heeded || known.contains(&name) || own.contains(&name) {
                continue;
            }
            let hint = match nearest(name, known.iter().copied().chain(own)) {
                Some(option) => format!("; did you mean {option}?"),
                None => String::new(),
            };
            self.warnings.push(Problem {
                source: Source::Variable(name.to_owned()),
                path: String::new(),
                message: format!("no key is overridden by this variable{hint}"),
            });
        }
    }
}
