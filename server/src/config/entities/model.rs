//! Models.

use shared::policies::{
    BreakerSettings, FieldError, HedgeSettings, ModelSettings, NamedSettings, RetrySettings,
    RuleSettings, ShadowSettings, StickySettings, TargetSettings, WhenSettings,
};

use super::{read, written};
use crate::config::reading::Scalar;
use crate::config::{Model, Named, Rule, Share, Target, UtcOffset};

/// The model of these settings.
///
/// # Errors
/// What is wrong with which field.
pub fn model(name: &str, settings: &ModelSettings) -> Result<Model, Vec<FieldError>> {
    read(settings, |section| Model::read(section, name.to_owned()))
}

/// The settings of a model.
pub fn model_settings(model: &Model) -> ModelSettings {
    ModelSettings {
        aliases: model.aliases.clone(),
        endpoints: words(&model.endpoints),
        default_for: words(&model.default_for),
        strategy: written(&model.strategy),
        sticky: StickySettings {
            by: written(&model.sticky.by),
            header: model.sticky.header.clone(),
        },
        targets: model.targets.iter().map(target).collect(),
        rules: model.rules.iter().map(rule).collect(),
        max_attempts: model.max_attempts,
        max_input_tokens: model.max_input_tokens,
        retry: RetrySettings {
            retries: model.retry.retries,
            base: written(&model.retry.base),
            max_wait: written(&model.retry.max_wait),
            budget: share(model.retry.budget),
        },
        hedge: HedgeSettings {
            enabled: model.hedge.enabled,
            max_share: share(model.hedge.max_share),
        },
        breaker: BreakerSettings {
            failures: model.breaker.failures,
            error_rate: share(model.breaker.error_rate),
            window: written(&model.breaker.window),
            cool_down: written(&model.breaker.cool_down),
            max_cool_down: written(&model.breaker.max_cool_down),
        },
        fallbacks: model.fallbacks.clone(),
        context_length_fallbacks: model.context_length_fallbacks.clone(),
        content_filter_fallbacks: model.content_filter_fallbacks.clone(),
        shadow: model.shadow.as_ref().map(|shadow| ShadowSettings {
            provider: shadow.provider.clone(),
            model: shadow.model.clone(),
            share: share(shadow.share),
        }),
        strict: model.strict,
    }
}

fn target(target: &Target) -> TargetSettings {
    TargetSettings {
        provider: target.provider.clone(),
        model: target.model.clone(),
        weight: target.weight,
        priority: target.priority,
        parameters: target.parameters.clone(),
        max_concurrent: target.max_concurrent,
        enabled: target.enabled,
    }
}

fn rule(rule: &Rule) -> RuleSettings {
    let when = &rule.when;
    let offset = (when.utc_offset != UtcOffset::default()).then(|| written(&when.utc_offset));
    RuleSettings {
        when: WhenSettings {
            key: when.key.clone(),
            header: named(&when.header),
            metadata: named(&when.metadata),
            endpoint: when.endpoint.as_ref().map(written),
            min_input_tokens: when.min_input_tokens,
            max_input_tokens: when.max_input_tokens,
            from: when.from.as_ref().map(written),
            until: when.until.as_ref().map(written),
            days: words(&when.days),
            utc_offset: offset,
        },
        targets: rule.targets.iter().map(target).collect(),
        model: rule.model.clone(),
    }
}

fn named(named: &Named) -> Option<NamedSettings> {
    let said = named.name.is_some() || named.value.is_some();
    said.then(|| NamedSettings {
        name: named.name.clone(),
        value: named.value.clone(),
    })
}

fn words(words: &[impl Scalar]) -> Vec<String> {
    words.iter().map(written).collect()
}

/// As it would be written: 0.05, not what is nearest to it among sums.
fn share(share: Share) -> f64 {
    written(&share).parse().unwrap_or_else(|_| share.as_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_setting_comes_back() {
        let settings: ModelSettings = serde_json::from_value(json!({
            "aliases": ["x"], "endpoints": ["chat", "embeddings"], "default_for": ["chat"],
            "strategy": "sticky", "sticky": {"by": "header", "header": "x-session"},
            "targets": [{"provider": "p", "model": "m", "weight": 2, "priority": 1, "max_concurrent": 3,
                         "parameters": {"temperature": 0.5, "stop": ["${HOME}"], "t": "7", "n": {"a": null, "b": "${X}"}},
                         "enabled": false}],
            "rules": [{"when": {"key": "k", "header": {"name": "h", "value": "v"}, "metadata": {"name": "n"},
                                "endpoint": "chat", "min_input_tokens": 1, "max_input_tokens": 2, "from": "22:00",
                                "until": "06:00", "days": ["mon", "sun"], "utc_offset": "+01:00"},
                       "targets": [{"provider": "q", "weight": 1, "priority": 0, "enabled": true}]},
                      {"when": {}, "model": "other"}],
            "max_attempts": 4, "max_input_tokens": 5,
            "retry": {"retries": 6, "base": "7ms", "max_wait": "8s", "budget": 0.123456},
            "hedge": {"enabled": true, "max_share": 0.1},
            "breaker": {"failures": 9, "error_rate": 1.0, "window": "10s", "cool_down": "11s", "max_cool_down": "12m"},
            "fallbacks": ["f"], "context_length_fallbacks": ["g"], "content_filter_fallbacks": ["h"],
            "shadow": {"provider": "s", "model": "m", "share": 0.25}, "strict": true
        }))
        .unwrap();
        let read = model("m", &settings).unwrap();
        assert_eq!(model_settings(&read), settings);
        let usual = model("m", &ModelSettings::default()).unwrap();
        assert_eq!(
            usual,
            Model {
                name: "m".to_owned(),
                ..Model::default()
            }
        );
        assert_eq!(model_settings(&usual), ModelSettings::default());
    }
}
