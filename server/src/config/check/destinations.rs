//! Where connections would go that must not.

use shared::policies::Check;

use crate::config::reading::Reader;
use crate::config::{Config, Destinations};

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let destinations = Destinations::allowing(&config.server.allow_addresses);
    for (i, provider) in config.providers.iter().enumerate() {
        let url = provider.base_url.as_deref().unwrap_or_default();
        if let Err(message) = destinations.check_url(url) {
            reader.problem(&format!("providers[{i}].base_url"), message);
        }
    }
    if let Some(webhook) = &config.alerts.webhook
        && let Err(message) = destinations.check_url(webhook.expose())
    {
        reader.problem("alerts.webhook", message);
    }
    for (name, route) in &config.egress {
        if let Err(message) = destinations.check_url(&route.endpoint) {
            reader.problem("egress", format!("the endpoint of \"{name}\" {message}"));
        }
    }
    for (name, rule) in &config.guardrails {
        if let Check::Webhook { url, .. } = &rule.check
            && let Err(message) = destinations.check_url(url)
        {
            reader.problem("guardrails", format!("the webhook of \"{name}\" {message}"));
        }
    }
}
