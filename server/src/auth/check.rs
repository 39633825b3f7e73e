//! Whether keys and projects make sense.

use shared::policies::{ClientKey, FieldError, Project};

use crate::config::Config;

/// What people write about a key.
const MAX_TEXT: usize = 200;
const MAX_DESCRIPTION: usize = 2000;
const MAX_TAGS: usize = 50;
/// More than that nobody can oversee.
const MAX_NAMES: usize = 1000;

/// What is wrong with a key, by its fields; rates and allowances apart.
pub fn check_key(key: &ClientKey, config: &Config) -> Vec<FieldError> {
    let mut errors = Errors::default();
    errors.text("owner", key.owner.as_deref(), MAX_TEXT);
    if key.tags.len() > MAX_TAGS {
        errors.add("tags", format!("at most {MAX_TAGS}"));
    }
    for (i, tag) in key.tags.iter().enumerate() {
        errors.name(&format!("tags[{i}]"), tag);
    }
    if let Some(project) = &key.project
        && !config.projects.contains_key(project)
    {
        errors.add("project", format!("there is no project `{project}`"));
    }
    errors.access(&key.models, &key.providers, config);
    errors.0
}

/// The same of a project.
pub fn check_project(project: &Project, config: &Config) -> Vec<FieldError> {
    let mut errors = Errors::default();
    let description = project.description.as_deref();
    errors.text("description", description, MAX_DESCRIPTION);
    errors.access(&project.models, &project.providers, config);
    errors.0
}

#[derive(Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError {
            field: field.to_owned(),
            message: message.into(),
        });
    }

    fn text(&mut self, field: &str, text: Option<&str>, most: usize) {
        if text.is_some_and(|text| text.chars().count() > most) {
            self.add(field, format!("at most {most} characters"));
        }
    }

    fn name(&mut self, field: &str, name: &str) {
        if name.trim().is_empty() {
            self.add(field, "it is empty");
        }
        self.text(field, Some(name), MAX_TEXT);
    }

    fn access(&mut self, models: &[String], providers: &[String], config: &Config) {
        if models.len() > MAX_NAMES {
            self.add("models", format!("at most {MAX_NAMES}"));
        }
        for (i, model) in models.iter().enumerate() {
            self.name(&format!("models[{i}]"), model);
        }
        for (i, name) in providers.iter().enumerate() {
            if !config.providers.iter().any(|known| known.name == *name) {
                let message = format!("there is no provider `{name}`");
                self.add(&format!("providers[{i}]"), message);
            }
        }
    }
}
