//! The server functions: each only calls the [`shared::AdminApi`] that the server put in context.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, JsonEncoding};
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};
use shared::analytics::Overview;
use shared::status::GatewayStatus;
use shared::{AdminError, TimeRange};

use crate::charts::Drawing;

/// The gateway's administration, as server functions and pages find it in context.
#[cfg(feature = "ssr")]
pub type Admin = std::sync::Arc<dyn shared::AdminApi>;

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

#[cfg(feature = "ssr")]
fn admin() -> Result<Admin, LoadError> {
    use_context::<Admin>().ok_or_else(|| {
        let message = "no admin API in context".to_owned();
        LoadError::Admin(AdminError::Internal { message })
    })
}
