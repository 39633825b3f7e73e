//! Paths of the operator's own.

use http::uri::PathAndQuery;

use crate::config::Config;
use crate::config::reading::{Reader, did_you_mean};

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let providers = config.providers.iter();
    let names: Vec<&str> = providers.map(|provider| provider.name.as_str()).collect();
    for (i, route) in config.routes.iter().enumerate() {
        let at = |key: &str| format!("routes[{i}].{key}");
        if !route.provider.is_empty() && !names.contains(&route.provider.as_str()) {
            let hint = did_you_mean(&route.provider, &names);
            let message = format!("unknown provider \"{}\"; {hint}", route.provider);
            reader.problem(&at("provider"), message);
        }
        if route.path.is_empty() {
            continue;
        }
        let is_path = PathAndQuery::try_from(route.path.as_str())
            .is_ok_and(|path| path.query().is_none() && path.path() == route.path);
        if !is_path || !route.path.starts_with('/') {
            let message = "expected a path such as \"/v1/messages\", without \"?\" and \"#\"";
            reader.problem(&at("path"), message);
        }
        let before = config.routes[..i].iter();
        if let Some(first) = before
            .into_iter()
            .position(|other| other.path == route.path)
        {
            let message =
                format!("routes[{first}] has this path already; one path leads to one provider");
            reader.problem(&at("path"), message);
        }
    }
}
