//! Prices.

use crate::config::Config;
use crate::config::reading::{Reader, did_you_mean};

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let names: Vec<&str> = config
        .providers
        .iter()
        .map(|provider| provider.name.as_str())
        .collect();
    let prices = config.prices.iter();
    let prices = prices.map(|price| (price.provider.as_deref(), price.model.as_str()));
    check_list("prices", prices, &names, reader);
    let prices = config.unit_prices.iter();
    let prices = prices.map(|price| (price.provider.as_deref(), price.model.as_str()));
    check_list("unit_prices", prices, &names, reader);
}

/// Prices, each by its provider and its model, of which none may be there twice.
fn check_list<'a>(
    section: &str,
    prices: impl Iterator<Item = (Option<&'a str>, &'a str)>,
    names: &[&str],
    reader: &mut Reader<'_>,
) {
    let prices: Vec<_> = prices.collect();
    for (i, (provider, model)) in prices.iter().enumerate() {
        if let Some(provider) = provider
            && !names.contains(provider)
        {
            let hint = did_you_mean(provider, names);
            let message = format!("unknown provider \"{provider}\"; {hint}");
            reader.problem(&format!("{section}[{i}].provider"), message);
        }
        let same = prices[..i].iter().position(|other| other == &prices[i]);
        if let Some(first) = same.filter(|_| !model.is_empty()) {
            let message = format!("{section}[{first}] already gives this model's price");
            reader.problem(&format!("{section}[{i}].model"), message);
        }
    }
}
