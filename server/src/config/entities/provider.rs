//! Providers.

use shared::policies::{
    FieldError, HealthSettings, ProviderSettings, SimulatedSettings, TimeoutSettings,
};

use super::{read, written};
use crate::config::{PartialTimeouts, Provider, Secret};

/// The provider of these settings, secrets and all.
///
/// # Errors
/// What is wrong with which field.
pub fn provider(name: &str, settings: &ProviderSettings) -> Result<Provider, Vec<FieldError>> {
    read(settings, |section| {
        let base = Provider {
            name: name.to_owned(),
            enabled: true,
            ..Provider::default()
        };
        let kind = section.required("kind");
        Provider::read(section, kind, base)
    })
}

/// The settings of a provider, with its secrets as `shown` tells them, by their fields.
pub fn provider_settings(
    provider: &Provider,
    shown: impl Fn(&str, &Secret) -> String,
) -> ProviderSettings {
    let keys = provider.api_keys.iter().enumerate();
    let headers = provider.headers.iter();
    ProviderSettings {
        kind: provider.kind.clone(),
        protocol: provider.protocol.clone(),
        base_url: provider.base_url.clone(),
        api_key: provider.api_key.as_ref().map(|key| shown("api_key", key)),
        api_keys: keys
            .map(|(i, key)| shown(&format!("api_keys[{i}]"), key))
            .collect(),
        pass_client_key: provider.pass_client_key,
        api_version: provider.api_version.clone(),
        model: provider.model.clone(),
        enabled: provider.enabled,
        default: provider.default,
        fallbacks: provider.fallbacks.clone(),
        max_concurrent: provider.max_concurrent,
        queue: provider.queue,
        queue_timeout: written(&provider.queue_timeout),
        health: HealthSettings {
            enabled: provider.health.enabled,
            interval: written(&provider.health.interval),
            timeout: written(&provider.health.timeout),
            path: provider.health.path.clone(),
        },
        headers: headers
            .map(|(name, value)| (name.clone(), shown(&format!("headers.{name}"), value)))
            .collect(),
        timeouts: timeouts(&provider.timeouts),
        simulated: SimulatedSettings {
            first_token_ms: provider.simulated.first_token_ms,
            between_chunks_ms: provider.simulated.between_chunks_ms,
            fault: written(&provider.simulated.fault),
            delay_ms: provider.simulated.delay_ms,
        },
    }
}

fn timeouts(timeouts: &PartialTimeouts) -> TimeoutSettings {
    TimeoutSettings {
        connect: timeouts.connect.as_ref().map(written),
        first_byte: timeouts.first_byte.as_ref().map(written),
        first_token: timeouts.first_token.as_ref().map(written),
        between_chunks: timeouts.between_chunks.as_ref().map(written),
        total: timeouts.total.as_ref().map(written),
    }
}
