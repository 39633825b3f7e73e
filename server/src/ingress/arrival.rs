//! The beginning of a request that is recorded.

use std::sync::Arc;

use http::request::Parts;

use super::call;
use crate::gateway::{Context, Gateway};
use crate::recording::request::Arrival;
use crate::serve::ClientConnection;

/// From here on, whatever happens, one record comes of the request.
pub(super) fn begin(
    gateway: &Gateway,
    head: &Parts,
    dialect: &Arc<str>,
    endpoint: &Arc<str>,
) -> Context {
    let mut context = gateway.begin(Arrival {
        dialect: dialect.clone(),
        endpoint: endpoint.clone(),
    });
    if let Some(connection) = head.extensions.get::<ClientConnection>() {
        let trusted = &context.policies.trusted_proxies;
        let client = call::client_address(connection.address, &head.headers, trusted);
        context.recording.client(Some(client));
        context.caller.address = Some(client);
        context.in_service = Some(connection.in_service.clone());
    }
    context
}
