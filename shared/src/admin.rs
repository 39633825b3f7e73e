//! All that an operator can ask of the gateway.

use serde::{Deserialize, Serialize};

use crate::access::AccessApi;
use crate::analytics::AnalyticsApi;
use crate::policies::{FieldError, PolicyApi};
use crate::{AuditApi, DryRunApi, GatewayApi, PayloadApi};

/// All that an operator can ask, in parts by what it is about. The gateway implements them; REST handlers and the
/// dashboard's server functions only call them. A part that is new belongs into this list.
pub trait AdminApi:
    GatewayApi + AnalyticsApi + PolicyApi + AccessApi + AuditApi + PayloadApi + DryRunApi
{
}

impl<T> AdminApi for T where
    T: GatewayApi + AnalyticsApi + PolicyApi + AccessApi + AuditApi + PayloadApi + DryRunApi
{
}

/// Why an administrative call could not be answered.
#[derive(Clone, Debug, Deserialize, Serialize, thiserror::Error, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AdminError {
    /// The caller asked for something that makes no sense; `message` says what would.
    #[error("{message}")]
    Invalid {
        message: String,
        /// What is wrong with which field, where it is about fields.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<FieldError>,
    },
    /// It has been changed since the caller looked, or there is one already.
    #[error("{message}")]
    Conflict { message: String },
    /// There is nothing of this name.
    #[error("{message}")]
    NotFound { message: String },
    /// The database did not answer; the gateway serves on and keeps its records elsewhere.
    #[error("the database is not available: {message}")]
    Unavailable { message: String },
    /// A fault of the gateway's own.
    #[error("internal error: {message}")]
    Internal { message: String },
}
