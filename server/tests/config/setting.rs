//! A working directory with files, and environment variables.

use std::path::Path;

use server::config::{Choice, ConfigErrors, Environment, Imported, Loaded, import, load_from};
use tempfile::TempDir;

/// What a process would find.
pub struct Setting {
    directory: TempDir,
    variables: Vec<(String, String)>,
}

impl Setting {
    pub fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
            variables: Vec::new(),
        }
    }

    /// With a file of this name and text.
    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.directory.path().join(name);
        let parent = path.parent().expect("a file is in a directory");
        std::fs::create_dir_all(parent).expect("a directory can be made");
        std::fs::write(path, text).expect("a file can be written");
        self
    }

    /// With this environment variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What a process finds that was started without any argument.
    pub fn found(&self) -> Result<Loaded, ConfigErrors> {
        self.load(&Choice::Found)
    }

    /// What a process finds that was started with this file.
    pub fn named(&self, file: &str) -> Result<Loaded, ConfigErrors> {
        self.load(&Choice::Named(file.into()))
    }

    /// What `config import` makes of this file.
    pub fn imported(&self, file: &str) -> Result<Imported, ConfigErrors> {
        import(Path::new(file), &self.environment())
    }

    fn load(&self, choice: &Choice) -> Result<Loaded, ConfigErrors> {
        load_from(choice, &self.environment())
    }

    fn environment(&self) -> Environment {
        let variables = self.variables.iter().cloned();
        Environment::new(self.directory.path(), variables)
    }
}

/// The configuration of this TOML text, in a file `a.toml`, and nothing else.
pub fn toml(text: &str) -> Result<Loaded, ConfigErrors> {
    Setting::new().file("a.toml", text).named("a.toml")
}

/// The configuration of this YAML text, in a file `a.yaml`, and nothing else.
pub fn yaml(text: &str) -> Result<Loaded, ConfigErrors> {
    Setting::new().file("a.yaml", text).named("a.yaml")
}

/// Each problem as it is shown.
pub fn shown(errors: &ConfigErrors) -> Vec<String> {
    errors.problems.iter().map(ToString::to_string).collect()
}

/// Each warning as it is shown.
pub fn warnings(loaded: &Loaded) -> Vec<String> {
    loaded.warnings.iter().map(ToString::to_string).collect()
}
