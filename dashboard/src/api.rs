//! The server functions: each only calls the parts of [`shared::AdminApi`] that the server put in context.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, JsonEncoding};
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};
use shared::analytics::Overview;
use shared::policies::PolicyKind;
use shared::status::GatewayStatus;
use shared::{AdminError, TimeRange};

use crate::charts::Drawing;
use crate::forms::Editor;
#[cfg(feature = "ssr")]
use crate::pages::KeysWanted;
use crate::pages::{Cached, Keys, Limits, PromptRows, Rules};

/// The gateway as its operators see it, as server functions and pages find it in context.
#[cfg(feature = "ssr")]
pub type Admin = std::sync::Arc<dyn shared::GatewayApi>;

/// Its policies.
#[cfg(feature = "ssr")]
pub type Policies = std::sync::Arc<dyn shared::policies::PolicyApi>;

/// Why a page's data did not come.
#[derive(Clone, Debug, Deserialize, Serialize, thiserror::Error, PartialEq, Eq)]
pub enum LoadError {
    /// The gateway answered that it cannot say.
    #[error("{0}")]
    Admin(#[from] AdminError),
    /// No answer came.
    #[error("the gateway did not answer: {0}")]
    NoAnswer(String),
    /// An answer came that is not the dashboard's: the login's.
    #[error("the session has ended")]
    SignedOut,
}

impl FromServerFnError for LoadError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        #[cfg(feature = "ssr")]
        if let ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) = error
            && let Some(response) = use_context::<leptos_axum::ResponseOptions>()
        {
            // It would be a 500, but it is the caller who is wrong.
            response.set_status(http::StatusCode::BAD_REQUEST);
        }
        match error {
            ServerFnErrorErr::Deserialization(_) => Self::SignedOut,
            error => Self::NoAnswer(error.to_string()),
        }
    }
}

/// One consistent set of figures: the charts show what the overview says.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct Snapshot {
    pub overview: Overview,
    /// The charts in the order of [`crate::charts::ChartKind::ALL`], when the browser asked for
    /// them. While a page is rendered on the server they are drawn in place and sent once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charts: Vec<Drawing>,
}

/// Figures of a time range, with charts drawn when `draw` is set.
#[server(name = LoadOverview, prefix = "/ui/api", endpoint = "overview", input = GetUrl)]
pub async fn load_overview(
    range: TimeRange,
    provider: Option<String>,
    model: Option<String>,
    draw: bool,
) -> Result<Snapshot, LoadError> {
    let query = shared::analytics::OverviewQuery {
        range,
        provider,
        model,
    };
    let overview = admin()?.overview(query).await?;
    let charts = if draw {
        crate::charts::draw_all(&overview)
    } else {
        Vec::new()
    };
    Ok(Snapshot { overview, charts })
}

/// What the gateway says of itself.
#[server(name = LoadStatus, prefix = "/ui/api", endpoint = "status", input = GetUrl)]
pub async fn load_status() -> Result<GatewayStatus, LoadError> {
    Ok(admin()?.status().await?)
}

/// A policy as it is edited, or a new one.
#[server(name = LoadEditor, prefix = "/ui/api", endpoint = "editor", input = GetUrl)]
pub async fn load_editor(
    kind: PolicyKind,
    name: Option<String>,
    check: Option<String>,
) -> Result<Editor, LoadError> {
    let api = policies()?;
    Ok(crate::edits::editor(&*api, kind, name, check.as_deref().unwrap_or_default()).await?)
}

/// The system prompts, in the order in which they are put.
#[server(name = LoadPrompts, prefix = "/ui/api", endpoint = "prompts", input = GetUrl)]
pub async fn load_prompts() -> Result<PromptRows, LoadError> {
    Ok(crate::listings::prompts(&*policies()?).await?)
}

/// Rate limits, or quotas and budgets, with how much of them is used.
#[server(name = LoadLimits, prefix = "/ui/api", endpoint = "limits", input = GetUrl)]
pub async fn load_limits(budgets: bool) -> Result<Limits, LoadError> {
    let api = policies()?;
    Ok(if budgets {
        crate::listings::budgets(&*api).await?
    } else {
        crate::listings::limits(&*api).await?
    })
}

/// The guardrails in the order in which they act, with how often they have.
#[server(name = LoadGuardrails, prefix = "/ui/api", endpoint = "guardrails", input = GetUrl)]
pub async fn load_guardrails() -> Result<Rules, LoadError> {
    Ok(crate::listings::guardrails(&*policies()?).await?)
}

/// How the cache fares, and what it holds of what is chosen.
#[server(name = LoadCache, prefix = "/ui/api", endpoint = "cache", input = GetUrl)]
pub async fn load_cache(model: Option<String>, key: Option<String>) -> Result<Cached, LoadError> {
    Ok(crate::listings::cache(&*policies()?, model, key).await?)
}

/// Client keys, of a project or with a text where one is given; or projects.
#[server(name = LoadKeys, prefix = "/ui/api", endpoint = "keys", input = GetUrl)]
pub async fn load_keys(
    projects: bool,
    project: Option<String>,
    text: Option<String>,
) -> Result<Keys, LoadError> {
    let api = policies()?;
    Ok(if projects {
        crate::listings::projects(&*api).await?
    } else {
        crate::listings::keys(&*api, &KeysWanted { project, text }).await?
    })
}

/// What operators decide about traffic.
#[cfg(feature = "ssr")]
pub fn policies() -> Result<Policies, LoadError> {
    use_context::<Policies>().ok_or_else(|| {
        let message = "no policies in context".to_owned();
        LoadError::Admin(AdminError::Internal { message })
    })
}

#[cfg(feature = "ssr")]
pub fn admin() -> Result<Admin, LoadError> {
    use_context::<Admin>().ok_or_else(|| {
        let message = "no admin API in context".to_owned();
        LoadError::Admin(AdminError::Internal { message })
    })
}
