//! The environment of the process, as far as the configuration goes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Environment variables and the working directory. The process's own are read in one place only, here.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    directory: PathBuf,
}

/// Variables may be secret: only their number shows.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.len())
            .field("directory", &self.directory)
            .finish()
    }
}

impl Environment {
    /// That of this process. Variables that are not UTF-8 are as good as not set.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self {
            variables: variables.collect(),
            directory: PathBuf::new(),
        }
    }

    /// One made up: `directory` is where relative paths start.
    pub fn new<N: Into<String>, V: Into<String>>(
        directory: impl Into<PathBuf>,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            directory: directory.into(),
        }
    }

    /// The variable's value, `None` where it is not set.
    pub(in crate::config) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The variable's value where it says something: an empty one is the same as none, for compose files
    /// pass variables on that nobody set.
    pub(in crate::config) fn given(&self, name: &str) -> Option<&str> {
        self.get(name)
            .filter(|value| !value.is_empty() && !is_service_address(value))
    }

    /// Names and values of the variables whose names begin so.
    pub(in crate::config) fn starting_with<'s>(
        &'s self,
        prefix: &'s str,
    ) -> impl Iterator<Item = (&'s str, &'s str)> {
        let all = self.variables.iter();
        all.filter(move |(name, value)| name.starts_with(prefix) && !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// These variables alone; those that are not set say their own names.
    pub(in crate::config) fn with_only(&self, names: &[String]) -> Self {
        let value = |name: &String| self.get(name).unwrap_or(name).to_owned();
        Self {
            variables: names
                .iter()
                .map(|name| (name.clone(), value(name)))
                .collect(),
            directory: self.directory.clone(),
        }
    }

    /// Names and values of the variables that override keys.
    pub(in crate::config) fn overrides(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .filter(|(name, value)| {
                name.starts_with("GATEWAY_") && !value.is_empty() && !is_kubernetes(name, value)
            })
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `path`, seen from the working directory.
    pub(in crate::config) fn resolve(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }
}

/// The part of a variable's name that stands for an item called `name`: `TEAM_A` for `team-a`.
pub(in crate::config) fn variable_part(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect()
}

/// Kubernetes tells every container about the services beside it: one called `gateway` as `GATEWAY_PORT=tcp://…`,
/// `GATEWAY_SERVICE_HOST`, `GATEWAY_PORT_80_TCP_ADDR` and so on; one called `gateway-server` even as
/// `GATEWAY_SERVER_PORT=tcp://…`.
/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>
fn is_kubernetes(name: &str, value: &str) -> bool {
    is_service_address(value)
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.split_once("_PORT_").is_some_and(|(_, rest)| {
            let mut parts = rest.split('_');
            let number = parts.next().is_some_and(|part| part.parse::<u16>().is_ok());
            number && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
        })
}

fn is_service_address(value: &str) -> bool {
    ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme))
}
