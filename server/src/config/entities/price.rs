//! Prices. A name may have a price by tokens, one by units, or both.

use shared::policies::{FieldError, PriceSettings, TokenPrice, UnitPrice, price_name};

use super::written;
use crate::config::reading::Scalar;
use crate::config::{Config, Dollars, Price, PriceOverride, UnitPriceOverride};

/// The names of all.
pub fn price_names(config: &Config) -> Vec<String> {
    let tokens = config.prices.iter();
    let tokens = tokens.map(|price| price_name(price.provider.as_deref(), &price.model));
    let units = config.unit_prices.iter();
    let units = units.map(|price| price_name(price.provider.as_deref(), &price.model));
    let mut names: Vec<String> = tokens.chain(units).collect();
    names.sort();
    names.dedup();
    names
}

/// What a configuration says of a price.
pub fn price_settings(config: &Config, name: &str) -> Option<PriceSettings> {
    let mut tokens = config.prices.iter();
    let tokens = tokens.find(|price| price_name(price.provider.as_deref(), &price.model) == name);
    let mut units = config.unit_prices.iter();
    let unit = units.find(|price| price_name(price.provider.as_deref(), &price.model) == name);
    let (provider, model) = match (tokens, unit) {
        (Some(price), _) => (&price.provider, &price.model),
        (None, Some(price)) => (&price.provider, &price.model),
        (None, None) => return None,
    };
    Some(PriceSettings {
        provider: provider.clone(),
        model: model.clone(),
        tokens: tokens.map(|price| TokenPrice {
            input_nanos: price.input.nanos_per_million,
            cached_input_nanos: price.cached_input.map(|price| price.nanos_per_million),
            cache_write_nanos: price.cache_write.map(|price| price.nanos_per_million),
            output_nanos: price.output.nanos_per_million,
        }),
        unit: unit.map(|price| UnitPrice {
            unit: written(&price.unit),
            each_nanos: price.each.nanos,
        }),
    })
}

/// Takes a price out of a configuration.
pub fn remove_price(config: &mut Config, name: &str) {
    config
        .prices
        .retain(|price| price_name(price.provider.as_deref(), &price.model) != name);
    config
        .unit_prices
        .retain(|price| price_name(price.provider.as_deref(), &price.model) != name);
}

/// Puts a price in place of what is there of its name.
///
/// # Errors
/// What is wrong with which field.
pub fn put_price(
    config: &mut Config,
    name: &str,
    settings: &PriceSettings,
) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut report = |field: &str, message: String| {
        errors.push(FieldError {
            field: field.to_owned(),
            message,
        });
    };
    if settings.model.is_empty() {
        report("model", "missing; expected text".to_owned());
    } else if settings.name() != name {
        let expected = settings.name();
        report(
            "name",
            format!("of this provider and model it is `{expected}`"),
        );
    }
    if settings.tokens.is_none() && settings.unit.is_none() {
        report(
            "tokens",
            "a price is one by tokens, one by units, or both".to_owned(),
        );
    }
    let price = |nanos_per_million| Price { nanos_per_million };
    let tokens = settings.tokens.as_ref().map(|tokens| PriceOverride {
        provider: settings.provider.clone(),
        model: settings.model.clone(),
        input: price(tokens.input_nanos),
        cached_input: tokens.cached_input_nanos.map(price),
        cache_write: tokens.cache_write_nanos.map(price),
        output: price(tokens.output_nanos),
    });
    let mut unit = None;
    if let Some(price) = &settings.unit {
        match Scalar::parse(&price.unit) {
            Err(message) => report("unit.unit", message),
            Ok(of) => {
                unit = Some(UnitPriceOverride {
                    provider: settings.provider.clone(),
                    model: settings.model.clone(),
                    unit: of,
                    each: Dollars {
                        nanos: price.each_nanos,
                    },
                });
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    remove_price(config, name);
    config.prices.extend(tokens);
    config.unit_prices.extend(unit);
    Ok(())
}
