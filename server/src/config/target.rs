//! A model's `targets`.

use std::collections::BTreeMap;

use super::parameters::Parameter;
use super::reading::Section;

/// One place a model's requests may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name of a provider.
    pub provider: String,
    /// What the upstream calls the model; where `None`, the name the client asked for.
    pub model: Option<String>,
    /// Its share of the requests among the model's targets; 0 only as a fallback.
    pub weight: u32,
    /// Targets of a lower number come first.
    pub priority: u32,
    /// Members of the request's body in place of the client's.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Calls at the same time; where `None`, as many as come.
    pub max_concurrent: Option<u32>,
    /// Whether requests go there at all.
    pub enabled: bool,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            provider: String::new(),
            model: None,
            weight: 1,
            priority: 0,
            parameters: BTreeMap::new(),
            max_concurrent: None,
            enabled: true,
        }
    }
}

impl Target {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        let parameters: BTreeMap<String, Parameter> = section.members("parameters");
        let parameters = parameters.into_iter().map(|(name, value)| (name, value.0));
        Self {
            parameters: parameters.collect(),
            provider: section.required("provider"),
            model: section.optional("model"),
            weight: section.value("weight", default.weight),
            priority: section.value("priority", default.priority),
            max_concurrent: section.optional("max_concurrent"),
            enabled: section.value("enabled", default.enabled),
        }
    }
}
