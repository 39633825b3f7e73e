//! Time ranges that end now, as they stand in a URL.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A span of time that ends now.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum TimeRange {
    #[serde(rename = "1h")]
    Hour,
    #[serde(rename = "6h")]
    SixHours,
    #[default]
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "7d")]
    Week,
    #[serde(rename = "30d")]
    Month,
}

impl TimeRange {
    pub const ALL: [Self; 5] = [
        Self::Hour,
        Self::SixHours,
        Self::Day,
        Self::Week,
        Self::Month,
    ];

    /// The name in URLs: `1h`, `6h`, `24h`, `7d`, `30d`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::SixHours => "6h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// What a person calls it, for example `Last 24 hours`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Hour => "Last hour",
            Self::SixHours => "Last 6 hours",
            Self::Day => "Last 24 hours",
            Self::Week => "Last 7 days",
            Self::Month => "Last 30 days",
        }
    }

    pub fn seconds(self) -> u32 {
        match self {
            Self::Hour => 3_600,
            Self::SixHours => 6 * 3_600,
            Self::Day => 24 * 3_600,
            Self::Week => 7 * 24 * 3_600,
            Self::Month => 30 * 24 * 3_600,
        }
    }

    /// Width of a chart's bucket, seconds: between 60 and 180 buckets a range. Buckets of an hour
    /// and more are made of hourly rollups, the others of those by the minute.
    pub fn bucket_seconds(self) -> u32 {
        match self {
            Self::Hour => 60,
            Self::SixHours => 5 * 60,
            Self::Day => 15 * 60,
            Self::Week => 3_600,
            Self::Month => 6 * 3_600,
        }
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not one of the ranges.
#[derive(Debug, thiserror::Error)]
#[error("unknown time range `{0}`: it is one of 1h, 6h, 24h, 7d, 30d")]
pub struct UnknownTimeRange(String);

impl FromStr for TimeRange {
    type Err = UnknownTimeRange;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|range| range.as_str() == name)
            .ok_or_else(|| UnknownTimeRange(name.to_owned()))
    }
}
