//! Prices.

use crate::config::Config;
use crate::config::reading::{Reader, did_you_mean};

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let names: Vec<&str> = config
        .providers
        .iter()
        .map(|provider| provider.name.as_str())
        .collect();
    for (i, price) in config.prices.iter().enumerate() {
        if let Some(provider) = &price.provider
            && !names.contains(&provider.as_str())
        {
            let hint = did_you_mean(provider, &names);
            let message = format!("unknown provider \"{provider}\"; {hint}");
            reader.problem(&format!("prices[{i}].provider"), message);
        }
        let same = config.prices[..i]
            .iter()
            .position(|other| (&other.provider, &other.model) == (&price.provider, &price.model));
        if let Some(first) = same.filter(|_| !price.model.is_empty()) {
            let message = format!("prices[{first}] already gives this model's price");
            reader.problem(&format!("prices[{i}].model"), message);
        }
    }
}
