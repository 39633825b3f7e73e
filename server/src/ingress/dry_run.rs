//! A chat request that somebody wants to try out: understood as if a client had sent it.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, COOKIE, HOST, TRANSFER_ENCODING,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use llm::dialect::Incoming;
use llm::error::ApiError;
use percent_encoding::percent_decode_str;
use shared::AdminError;
use shared::dry_run::{DryRun, DryRunOutcome, DryRunRequest};
use shared::policies::FieldError;

use super::endpoint::{ChatEndpoint, Mounted, SaidByPath};
use super::model_path::ModelEndpoints;
use super::{call, query};
use crate::gateway::{Gateway, Rehearsal, Terms, refusal};
use crate::recording::request::Arrival;
use crate::routes;

/// Says what would become of it. Nothing is sent, counted, reserved or recorded.
///
/// # Errors
/// It could not be a request at all. What a client would be refused with is no error.
pub async fn dry_run(gateway: &Gateway, tried: DryRunRequest) -> Result<DryRun, AdminError> {
    let (head, body) = request(gateway, &tried)?;
    let (endpoint, said) = endpoint(&head.uri).ok_or_else(|| {
        let message = "no dialect of chat is spoken there, as it is at /v1/chat/completions";
        invalid("path", message)
    })?;
    let address = match &tried.address {
        None => None,
        Some(address) => Some(
            address
                .parse::<IpAddr>()
                .map_err(|_| invalid("address", "it is no IP address"))?
                .to_canonical(),
        ),
    };
    let mut run = DryRun {
        dialect: endpoint.name.to_string(),
        ..DryRun::default()
    };
    let tried = outlook(
        gateway,
        &tried,
        address,
        (&endpoint, &said),
        (&head, body),
        &mut run,
    );
    if let Err(error) = tried.await {
        let mut refused = refusal(&error);
        refused.status = endpoint.dialect.status(&error);
        run.refusal.get_or_insert(refused);
    }
    if run.refusal.is_some() {
        run.outcome = DryRunOutcome::Refused;
    }
    Ok(run)
}

async fn outlook(
    gateway: &Gateway,
    tried: &DryRunRequest,
    address: Option<IpAddr>,
    (endpoint, said): (&Mounted, &SaidByPath),
    (head, body): (&Parts, Bytes),
    run: &mut DryRun,
) -> Result<(), ApiError> {
    let arrival = Arrival {
        dialect: Arc::clone(&endpoint.name),
        endpoint: Arc::clone(&endpoint.route),
    };
    let mut rehearsal: Rehearsal = gateway.rehearse(arrival, tried.key.as_deref(), address)?;
    let context = rehearsal.context();
    run.key = context.caller.key_name().map(|name| name.to_string());
    run.project = context.caller.project().map(|name| name.to_string());
    let terms = Terms {
        provider: call::provider(&head.headers)?,
        strict: call::strict(&head.headers)?,
        headers: Some(&head.headers),
    };
    context.recording.received(&body);
    let incoming = Incoming {
        model: said.model.as_deref(),
        stream: said.stream,
        variant: said.variant,
        ..Incoming::new(body, &head.headers, context.recording.stamp())
    };
    let request = endpoint.dialect.decode_request(incoming)?;
    gateway
        .chat_outlook(&mut rehearsal, &request, terms, run)
        .await
}

/// The request's head, as it would come, and its body.
fn request(gateway: &Gateway, tried: &DryRunRequest) -> Result<(Parts, Bytes), AdminError> {
    let uri: Uri = tried
        .path
        .parse()
        .ok()
        .filter(|uri: &Uri| uri.path().starts_with('/') && uri.authority().is_none())
        .ok_or_else(|| invalid("path", "it is a path that begins with a slash"))?;
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = without_key(uri);
    for (name, value) in &tried.headers {
        let field = || format!("headers.{name}");
        let header = HeaderName::try_from(name.as_str())
            .map_err(|_| invalid(&field(), "it is no header's name"))?;
        let value = HeaderValue::try_from(value.as_str())
            .map_err(|_| invalid(&field(), "it is no header's value"))?;
        if !is_left_out(&header) {
            request.headers_mut().append(header, value);
        }
    }
    gateway.policies().own_paths.redirect(&mut request);
    let body = match &tried.body {
        serde_json::Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    Ok((request.into_parts().0, body.into()))
}

/// Who calls is said elsewhere, and the body is here.
fn is_left_out(name: &HeaderName) -> bool {
    let framing = [
        AUTHORIZATION,
        CONTENT_ENCODING,
        CONTENT_LENGTH,
        COOKIE,
        HOST,
        TRANSFER_ENCODING,
    ];
    framing.contains(name) || call::KEY_HEADERS.contains(&name.as_str())
}

fn without_key(uri: Uri) -> Uri {
    let Some(query) = uri.query() else {
        return uri;
    };
    let path = match query::without(query, query::KEY) {
        None => uri.path().to_owned(),
        Some(kept) => format!("{}?{kept}", uri.path()),
    };
    path.parse().unwrap_or(uri)
}

/// Where chat is spoken at this address.
fn endpoint(uri: &Uri) -> Option<(Arc<Mounted>, SaidByPath)> {
    let path = uri.path();
    if let Some((route, dialect)) = routes::CHAT.iter().find(|(route, _)| *route == path) {
        let endpoint = ChatEndpoint::new(*dialect, route);
        return Some((endpoint.mounted(), SaidByPath::default()));
    }
    routes::MODELS.iter().find_map(|prefix| {
        let tail = path.strip_prefix(prefix)?.strip_prefix('/')?;
        let tail = percent_decode_str(tail).decode_utf8().ok()?;
        ModelEndpoints::under(prefix).chat(&tail, uri)
    })
}

fn invalid(field: &str, message: &str) -> AdminError {
    AdminError::Invalid {
        message: format!("{field}: {message}"),
        fields: vec![FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        }],
    }
}
