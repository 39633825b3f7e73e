//! What can be exported.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::RequestFilter;

/// A view of the database with a schema that stays (docs/export.md).
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExportView {
    /// A row a request.
    #[default]
    Requests,
    /// Sums by the hour.
    Hourly,
    /// Sums by the day, UTC.
    Daily,
}

/// What is exported.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExportQuery {
    #[serde(default)]
    pub view: ExportView,
    #[serde(flatten)]
    pub filter: RequestFilter,
}

impl ExportView {
    pub const ALL: [Self; 3] = [Self::Requests, Self::Hourly, Self::Daily];

    /// The name in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
        }
    }
}

impl FromStr for ExportView {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|view| view.as_str() == name);
        named.ok_or("one of requests, hourly, daily")
    }
}
