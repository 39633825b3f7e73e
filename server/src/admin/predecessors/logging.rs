//! `/admin/logging`: where the log is shipped, a switch and an address for each service.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::policies::{LoggingSettings, Policy, PolicyKind};

use super::{created, edit, in_force, posted, put};
use crate::admin::AdminState;
use crate::admin::json_body::JsonBody;
use crate::admin::problem::Problem;
use crate::admin::rest::Conditional;
use crate::in_force::{EditError, Edits};

const KIND: PolicyKind = PolicyKind::Logging;

/// What is left out is off, as there.
#[derive(Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::admin) struct LoggingConfig {
    /// Always `false`: there is no OpenTelemetry here.
    enable_open_telemetry: bool,
    enable_splunk: bool,
    enable_datadog: bool,
    enable_elastic_search: bool,
    /// Always empty.
    open_telemetry_endpoint: String,
    splunk_endpoint: String,
    datadog_endpoint: String,
    elastic_search_endpoint: String,
    /// Told masked, as `T2F…abcd`: sent back so, it stays as it is.
    elastic_api_key: String,
}

/// `GET /admin/logging`
pub(in crate::admin) async fn get(
    State(state): State<AdminState>,
) -> Result<Json<LoggingConfig>, Problem> {
    let settings = in_force(&*state.api, KIND, KIND.as_str()).await?;
    let settings = of_policy(settings);
    let address = |endpoint: Option<String>| endpoint.unwrap_or_default();
    let is_on = |enabled: bool, endpoint: &Option<String>| enabled && endpoint.is_some();
    let LoggingSettings {
        elasticsearch,
        splunk,
        datadog,
        ..
    } = settings;
    Ok(Json(LoggingConfig {
        enable_open_telemetry: false,
        enable_splunk: is_on(splunk.enabled, &splunk.endpoint),
        enable_datadog: is_on(datadog.enabled, &datadog.endpoint),
        enable_elastic_search: is_on(elasticsearch.enabled, &elasticsearch.endpoint),
        open_telemetry_endpoint: String::new(),
        splunk_endpoint: address(splunk.endpoint),
        datadog_endpoint: address(datadog.endpoint),
        elastic_search_endpoint: address(elasticsearch.endpoint),
        elastic_api_key: elasticsearch.api_key.unwrap_or_default(),
    }))
}

/// `POST /admin/logging`
pub(in crate::admin) async fn set(
    State(state): State<AdminState>,
    condition: Conditional,
    body: JsonBody,
) -> Result<impl IntoResponse, Problem> {
    let config: LoggingConfig = posted(&body)?;
    if config.enable_open_telemetry || !config.open_telemetry_endpoint.is_empty() {
        return Err(Problem::bad_request(
            "enableOpenTelemetry: logs are not shipped by OpenTelemetry; leave it false, and openTelemetryEndpoint \
             empty.",
        ));
    }
    for (enabled, endpoint, switch, field) in [
        (
            config.enable_elastic_search,
            &config.elastic_search_endpoint,
            "enableElasticSearch",
            "elasticSearchEndpoint",
        ),
        (
            config.enable_splunk,
            &config.splunk_endpoint,
            "enableSplunk",
            "splunkEndpoint",
        ),
        (
            config.enable_datadog,
            &config.datadog_endpoint,
            "enableDatadog",
            "datadogEndpoint",
        ),
    ] {
        if enabled && endpoint.is_empty() {
            let detail = format!("{field}: it is needed where {switch} is true.");
            return Err(Problem::bad_request(detail));
        }
    }
    edit(&state, &condition, |edits| change(edits, config)).await?;
    Ok(created(
        json!({"status": "Logging configuration updated successfully"}),
    ))
}

/// What it has no field for stays as it is: the level, Splunk's token, Datadog's key.
fn change(edits: &mut Edits<'_>, config: LoggingConfig) -> Result<(), EditError> {
    let mut settings = of_policy(edits.policy(KIND, KIND.as_str()));
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    for (place, enabled, endpoint) in [
        (
            (
                &mut settings.elasticsearch.enabled,
                &mut settings.elasticsearch.endpoint,
            ),
            config.enable_elastic_search,
            config.elastic_search_endpoint,
        ),
        (
            (&mut settings.splunk.enabled, &mut settings.splunk.endpoint),
            config.enable_splunk,
            config.splunk_endpoint,
        ),
        (
            (
                &mut settings.datadog.enabled,
                &mut settings.datadog.endpoint,
            ),
            config.enable_datadog,
            config.datadog_endpoint,
        ),
    ] {
        let endpoint = given(endpoint);
        // A switch without an endpoint is told as off, however it is.
        if endpoint.is_some() || place.1.is_some() {
            *place.0 = enabled;
        }
        *place.1 = endpoint;
    }
    settings.elasticsearch.api_key = given(config.elastic_api_key);
    put(edits, KIND.as_str(), Policy::Logging(settings))
}

fn of_policy(policy: Option<Policy>) -> LoggingSettings {
    match policy {
        Some(Policy::Logging(settings)) => settings,
        _ => LoggingSettings::default(),
    }
}
