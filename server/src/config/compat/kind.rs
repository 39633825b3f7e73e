//! Which kind of provider an address belongs to, and where that kind's API begins there.

use http::Uri;
use llm::providers::{self, Provider};

/// Servers at any address that speak a protocol, and nothing more is known of them.
pub(super) const OPENAI_LIKE: &str = "openai-compatible";
pub(super) const ANTHROPIC_LIKE: &str = "anthropic-compatible";

/// Resources at this provider have host names of their own.
const AZURE: (&str, &str) = ("azure", ".openai.azure.com");

/// The kind whose own address this is.
pub(super) fn at(url: &str) -> Option<&'static Provider> {
    let host = host(url)?;
    if host.ends_with(AZURE.1) {
        return providers::find(AZURE.0);
    }
    let mut kinds = providers::all().iter();
    kinds
        .find(|kind| kind.base_url.and_then(self::host).as_ref() == Some(&host))
        .copied()
}

/// `kind` where this is its own address, else what can be said of a server elsewhere that speaks like it: a kind that
/// speaks several protocols is not taken for it.
pub(super) fn spoken_at(kind: &'static Provider, url: &str) -> &'static str {
    let own = kind.base_url.and_then(host);
    let elsewhere = own.is_some() && own != host(url);
    if elsewhere && kind.codecs.len() > 1 {
        OPENAI_LIKE
    } else {
        kind.id
    }
}

/// Whether the address has the kind's resources, each under a host name of its own.
pub(super) fn has_resources(kind: &Provider) -> bool {
    kind.id == AZURE.0
}

/// The address with the path at which the kind's API begins, if it has no path yet.
pub(super) fn with_path(kind: &Provider, url: &str) -> String {
    let url = url.trim_end_matches('/');
    if path(url).is_some_and(|path| !path.is_empty()) {
        return url.to_owned();
    }
    let own = if has_resources(kind) {
        Some("/openai".to_owned())
    } else {
        kind.base_url.and_then(path)
    };
    format!("{url}{}", own.unwrap_or_default())
}

/// Scheme, host and port.
pub(super) fn origin(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

/// Without the slash at its end; `None`: that is no address.
pub(super) fn path(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    uri.host()?;
    Some(uri.path().trim_end_matches('/').to_owned())
}

pub(super) fn host(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(uri.host()?.to_ascii_lowercase())
}
