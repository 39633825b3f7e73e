//! `[alerts]`: who is told when a budget runs out.

use super::Secret;
use super::reading::Section;

/// Where alerts go beside the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    /// An `http://` or `https://` URL that each alert is posted to, as JSON. It may hold a secret.
    pub webhook: Option<Secret>,
}

impl Alerts {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let alerts = Self {
            webhook: section.optional("webhook"),
        };
        if let Some(url) = &alerts.webhook
            && !is_url(url.expose())
        {
            let path = section.path_of("webhook");
            let message = "expected a URL such as \"https://example.com/alerts\"";
            section.reader().problem(&path, message);
        }
        alerts
    }
}

fn is_url(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some()
    })
}
