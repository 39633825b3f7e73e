//! Posting that budgets run out to where the operator wants to know it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Uri};
use llm::chat::Losses;
use llm::codec::{ReplyForm, WireRequest};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::budgets::ledger::Alert;
use crate::config::Timeouts;
use crate::gateway::Gateway;
use crate::transport::{Endpoint, HttpEndpoint, Origin};

/// Waits before an alert is posted again.
const PAUSES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
];
const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REPLY: usize = 64 << 10;

/// Posts alerts, one after the other, for as long as there can be any.
pub async fn run(gateway: Arc<Gateway>, mut alerts: mpsc::Receiver<Alert>) {
    while let Some(alert) = alerts.recv().await {
        post_some_time(&gateway, &alert).await;
    }
}

async fn post_some_time(gateway: &Gateway, alert: &Alert) {
    let mut failure = String::new();
    for pause in PAUSES {
        sleep(pause).await;
        let policies = gateway.policies();
        let Some(url) = policies.budgets.webhook() else {
            return;
        };
        match post(gateway, url, alert).await {
            Ok(()) => return,
            Err(error) => failure = error,
        }
    }
    tracing::warn!(error = %failure, budget = %alert.account.label(), "An alert could not be posted to the webhook");
}

async fn post(gateway: &Gateway, url: &str, alert: &Alert) -> Result<(), String> {
    // The URL may hold a secret: no message repeats it.
    let uri: Uri = url.parse().map_err(|_| "not a URL".to_owned())?;
    let origin = Origin::of(&uri).map_err(|_| "not an http or https URL".to_owned())?;
    let agent = concat!("ai-gateway/", env!("CARGO_PKG_VERSION"));
    let headers = HeaderMap::from_iter([
        (HOST, origin.host_header().clone()),
        (USER_AGENT, HeaderValue::from_static(agent)),
    ]);
    let endpoint = Endpoint::Http(HttpEndpoint {
        origin,
        base_path: String::new(),
        headers,
    });
    let json = HeaderValue::from_static("application/json");
    let request = WireRequest {
        method: Method::POST,
        path: uri
            .path_and_query()
            .map_or_else(|| "/".to_owned(), ToString::to_string),
        headers: HeaderMap::from_iter([(CONTENT_TYPE, json)]),
        body: Bytes::from(alert.json().to_string()).into(),
        losses: Losses::default(),
        form: ReplyForm::default(),
    };
    let timeouts = Timeouts::default();
    let sent = gateway
        .transport()
        .send(&endpoint, request, &timeouts, Instant::now() + TIMEOUT)
        .await;
    let reply = sent.map_err(|error| error.to_string())?;
    let status = reply.status;
    // For the connection's sake.
    let _ = reply.body.collect(MAX_REPLY).await;
    if status.is_success() {
        Ok(())
    } else {
        Err(format!("the webhook answered with status {status}"))
    }
}
