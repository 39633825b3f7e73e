//! The parts of the admin API that a token can be confined to.

use serde::{Deserialize, Serialize};

/// A part of the admin API.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// What operators decide: policies, models, providers, settings, and the predecessors' paths.
    Policies,
    /// What was seen: figures, requests, usage, prices, status, metrics, how limits and budgets are used.
    Analytics,
    /// All of it to take away: exports and backups.
    Export,
    /// Who may do what: users, tokens, sessions, and the list of what was changed.
    Access,
}

impl Area {
    pub const ALL: [Self; 4] = [Self::Policies, Self::Analytics, Self::Export, Self::Access];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policies => "policies",
            Self::Analytics => "analytics",
            Self::Export => "export",
            Self::Access => "access",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|area| area.as_str() == name)
    }

    /// Where a route of the admin listener belongs.
    pub fn of(path: &str) -> Self {
        let rest = path.strip_prefix("/api/v1/").unwrap_or(path);
        let mut parts = rest.trim_start_matches('/').split('/');
        let first = parts.next().unwrap_or_default();
        match first {
            "users" | "tokens" | "sessions" | "me" | "audit" => Self::Access,
            "export" | "exports" | "backup" | "backups" => Self::Export,
            "overview" | "status" | "targets" | "metrics" | "requests" | "usage" | "prices"
            | "health" => Self::Analytics,
            _ if matches!(parts.next_back(), Some("states" | "stats")) => Self::Analytics,
            _ => Self::Policies,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Area;

    #[test]
    fn routes_belong_somewhere() {
        for (path, area) in [
            ("/api/v1/users/{name}", Area::Access),
            ("/api/v1/usage", Area::Analytics),
            ("/api/v1/limits/states", Area::Analytics),
            ("/api/v1/limits/{name}", Area::Policies),
            ("/api/v1/export/requests.csv", Area::Export),
            ("/metrics", Area::Analytics),
            ("/admin/ratelimit", Area::Policies),
            ("/admin/stats", Area::Analytics),
            ("/admin/ratelimit/clients", Area::Policies),
            ("/api/v1/cache/entries", Area::Policies),
        ] {
            assert_eq!(Area::of(path), area, "{path}");
        }
    }
}
