//! `litellm_params` and `model_info`: where a deployment is, and what it costs.

use llm::chat::Protocol;

use super::super::kind;
use super::super::pool::free_name;
use super::super::sheet::{Grade, Sheet, text};
use super::super::source::{Said, Source};
use super::kinds::{self, Named};
use super::put;
use super::target::{Deployment, target};
use super::values::Variables;
use crate::config::document::{Table, Value};
use crate::config::reading::did_you_mean;

/// The providers that deployments are at: what they have in common is one.
#[derive(Debug, Default)]
pub(super) struct Deployments {
    providers: Vec<Provider>,
    prices: Vec<(String, Table, usize, String)>,
}

#[derive(Debug)]
struct Provider {
    name: String,
    /// All but its name.
    table: Table,
    line: usize,
    path: String,
    secret_names: Vec<(String, String)>,
}

impl Deployments {
    /// `None`: it cannot be served, and the sheet says why.
    pub fn read<'t>(
        &mut self,
        mut params: Source<'t>,
        info: Option<Source<'t>>,
        variables: &Variables,
        sheet: &mut Sheet<'_>,
    ) -> Option<Deployment<'t>> {
        let said = sheet.needed(&mut params, "model", "\"provider/model\"")?;
        let full = said.text(sheet)?;
        let base = params.get("api_base").or_else(|| params.get("base_url"));
        let custom = params.get("custom_llm_provider");
        let custom = custom.and_then(|said| {
            let word = said.text(sheet)?.to_owned();
            sheet.grade(&said, "providers.kind", Grade::Exact);
            Some(word)
        });
        let (word, kind, model) = who(&said, full, custom.as_deref(), base.is_some(), sheet)?;
        let line = params.line;
        let mut provider = Table::default();
        // Its place; what it is depends on the address too.
        put(&mut provider, "kind", text(kind), line);
        let mut secret_names = Vec::new();
        let mut origin: Vec<(&str, Said<'_>, Grade)> = Vec::new();
        let mut id = kind;
        if let Some(base) = base {
            let (value, _) = variables.native(&base);
            let native = llm::providers::find(kind);
            let url = match (&value, native) {
                (Value::Text(url), Some(native)) if !url.contains("${") => {
                    id = kind::spoken_at(native, url);
                    let as_it_is = native.codecs[0].protocol() == Protocol::OpenAiChat
                        && !kind::has_resources(native);
                    text(if as_it_is {
                        url.trim_end_matches('/').to_owned()
                    } else {
                        kind::with_path(native, url)
                    })
                }
                (Value::Text(_), Some(native))
                    if native.codecs.len() > 1 && native.base_url.is_some() =>
                {
                    id = kind::OPENAI_LIKE;
                    value
                }
                _ => value,
            };
            put(&mut provider, "base_url", url, base.line);
            origin.push(("base_url", base, Grade::Exact));
        }
        put(&mut provider, "kind", text(id), line);
        match params.get("api_key") {
            Some(key) => {
                let (value, name) = variables.native(&key);
                secret_names.extend(name.map(|name| ("api_key".to_owned(), name)));
                put(&mut provider, "api_key", value, key.line);
                origin.push(("api_key", key, Grade::Exact));
            }
            None => {
                if let Some((value, name)) = key_of_the_environment(&word, id, variables, sheet) {
                    secret_names.extend(name.map(|name| ("api_key".to_owned(), name)));
                    put(&mut provider, "api_key", value, line);
                }
            }
        }
        if let Some(version) = params.get("api_version") {
            put(
                &mut provider,
                "api_version",
                variables.native(&version).0,
                version.line,
            );
            origin.push(("api_version", version, Grade::Exact));
        }
        if let Some(organization) = params.get("organization") {
            let (value, _) = variables.native(&organization);
            put(
                &mut provider,
                "headers.openai-organization",
                value,
                organization.line,
            );
            origin.push(("headers", organization, Grade::Exact));
        }
        if let Some(headers) = params.table("extra_headers", sheet) {
            for (name, said) in headers.all() {
                let (value, _) = variables.native(&said);
                put(&mut provider, &format!("headers.{name}"), value, said.line);
                origin.push(("headers", said, Grade::Exact));
            }
        }
        for (key, native) in [
            ("timeout", "timeouts.total"),
            ("stream_timeout", "timeouts.first_token"),
        ] {
            let Some(said) = params.get(key) else {
                continue;
            };
            if let Some(seconds) = said.number(sheet) {
                put(&mut provider, native, duration(seconds), said.line);
                let how = "of the provider, for every model there".to_owned();
                origin.push((native, said, Grade::Approximate(how)));
            }
        }
        let name = self.name(kind, provider, secret_names, &params);
        for (key, said, grade) in origin {
            sheet.grade(&said, &format!("providers {name}: {key}"), grade);
        }
        sheet.grade(
            &said,
            &format!("providers {name}, and the target's model"),
            Grade::Exact,
        );
        self.price(&name, &model, &mut params, info, sheet);
        Some(target(name, model, params, sheet))
    }

    /// The name of the provider that is like this one.
    fn name(
        &mut self,
        kind: &str,
        table: Table,
        secret_names: Vec<(String, String)>,
        params: &Source<'_>,
    ) -> String {
        let contents = |table: &Table| -> Vec<(String, String)> {
            let entries = table.entries.iter();
            entries
                .map(|entry| {
                    (
                        entry.key.clone(),
                        super::super::to_toml::inline(&entry.node.value),
                    )
                })
                .collect()
        };
        let same = self
            .providers
            .iter()
            .find(|known| contents(&known.table) == contents(&table));
        if let Some(known) = same {
            return known.name.clone();
        }
        let name = free_name(kind, |name| {
            self.providers.iter().any(|known| known.name == name)
        });
        self.providers.push(Provider {
            name: name.clone(),
            table,
            line: params.line,
            path: params.path.clone(),
            secret_names,
        });
        name
    }

    /// Costs per token, of which the native format wants a million at a time.
    fn price(
        &mut self,
        provider: &str,
        model: &str,
        params: &mut Source<'_>,
        info: Option<Source<'_>>,
        sheet: &mut Sheet<'_>,
    ) {
        let mut price = Table::default();
        put(&mut price, "provider", text(provider), params.line);
        put(&mut price, "model", text(model), params.line);
        let mut info = info;
        for (key, native) in [
            ("input_cost_per_token", "input"),
            ("output_cost_per_token", "output"),
            ("cache_read_input_token_cost", "cached_input"),
            ("cache_creation_input_token_cost", "cache_write"),
        ] {
            let own = params.get(key);
            let said = own.or_else(|| info.as_mut().and_then(|info| info.get(key)));
            let Some(said) = said else { continue };
            let Some(dollars) = said.number(sheet) else {
                continue;
            };
            put(
                &mut price,
                native,
                Value::Float(per_million(dollars)),
                said.line,
            );
            sheet.grade(&said, &format!("prices: {native}"), Grade::Exact);
        }
        if let Some(info) = info {
            for (_, said) in info.rest() {
                sheet.without_effect(&said, "it describes the model, and directs nothing");
            }
        }
        if price.entries.len() == 2 || model.contains('*') {
            return;
        }
        for key in ["input", "output"] {
            if price.get(key).is_none() {
                put(&mut price, key, Value::Integer("0".to_owned()), params.line);
            }
        }
        let id = format!("{provider}/{model}");
        if !self.prices.iter().any(|(other, ..)| *other == id) {
            self.prices
                .push((id, price, params.line, params.path.clone()));
        }
    }

    pub fn write(self, default: Option<&str>, sheet: &mut Sheet<'_>) {
        for provider in self.providers {
            let mut item = sheet.item("providers", &provider.path, provider.line);
            item.assume("name", text(&provider.name));
            for (key, name) in provider.secret_names {
                sheet
                    .secret_names
                    .push((format!("{}.{key}", item.path), name));
            }
            for entry in provider.table.entries {
                sheet.origins.push((
                    format!("{}.{}", item.path, entry.key),
                    format!("{}.{}", provider.path, theirs(&entry.key)),
                ));
                item.assume(&entry.key, entry.node.value);
            }
            if default == Some(&provider.name) {
                item.assume("default", Value::Bool(true));
            }
            sheet.put("providers", item);
        }
        for (_, price, line, path) in self.prices {
            let mut item = sheet.item("prices", &path, line);
            for entry in price.entries {
                item.assume(&entry.key, entry.node.value);
            }
            sheet.put("prices", item);
        }
    }
}

fn theirs(key: &str) -> &str {
    match key {
        "base_url" => "api_base",
        "kind" => "model",
        other => other,
    }
}

/// The provider in LiteLLM's word, its kind here, and what it calls the model.
fn who(
    said: &Said<'_>,
    full: &str,
    custom: Option<&str>,
    has_base: bool,
    sheet: &mut Sheet<'_>,
) -> Option<(String, &'static str, String)> {
    let (prefix, rest) = match (custom, full.split_once('/')) {
        (Some(custom), Some((prefix, rest))) if prefix == custom => (Some(custom), rest),
        (Some(custom), _) => (Some(custom), full),
        (None, Some((prefix, rest))) => (Some(prefix), rest),
        (None, None) => (None, full),
    };
    let Some(prefix) = prefix else {
        return match kinds::owner(full) {
            _ if full == "*" => {
                sheet.wrong(
                    said,
                    "no provider; write one before it, such as \"openai/*\"",
                );
                None
            }
            Some(kind) if !has_base => Some((kind.id.to_owned(), kind.id, full.to_owned())),
            _ if has_base => Some((String::new(), kind::OPENAI_LIKE, full.to_owned())),
            _ => {
                let message =
                    format!("whose model \"{full}\" is, is not known; write \"PROVIDER/{full}\"");
                sheet.wrong(said, message);
                None
            }
        };
    };
    match kinds::named(prefix) {
        Named::Kind(_) if rest.is_empty() => {
            sheet.not_carried(said, "left out: it names no model of the provider");
            None
        }
        Named::Kind(kind) => Some((prefix.to_owned(), kind.id, rest.to_owned())),
        Named::Unspoken => {
            sheet.not_carried(
                said,
                &format!("left out: this version does not speak to {prefix}"),
            );
            None
        }
        // `meta-llama/Llama-3` is a model's name.
        Named::Nobody if has_base && custom.is_none() => {
            Some((String::new(), kind::OPENAI_LIKE, full.to_owned()))
        }
        Named::Nobody => {
            let hint = did_you_mean(prefix, &kinds::names());
            sheet.wrong(said, format!("unknown provider \"{prefix}\"; {hint}"));
            None
        }
    }
}

/// LiteLLM's own name of the variable for a provider's key, where that differs from the kind's, and keys that the
/// file sets as variables.
fn key_of_the_environment(
    word: &str,
    id: &str,
    variables: &Variables,
    sheet: &Sheet<'_>,
) -> Option<(Value, Option<String>)> {
    let kind = llm::providers::find(id)?;
    let own = kind.key_variables.iter().map(|name| (*name).to_owned());
    let theirs = format!("{}_API_KEY", word.to_ascii_uppercase());
    for name in own.clone().chain([theirs.clone()]) {
        if let Some(value) = variables.get(&name) {
            return Some((text(value.replace("${", "$${")), Some(name)));
        }
    }
    let is_own = own.clone().any(|name| name == theirs);
    let given = !word.is_empty() && !is_own && sheet.environment.given(&theirs).is_some();
    given.then(|| (text(format!("${{{theirs}}}")), None))
}

/// Seconds as the native format writes them.
pub(super) fn duration(seconds: f64) -> Value {
    let ms = (seconds * 1000.0).round();
    match ms % 1000.0 == 0.0 {
        true => text(format!("{:.0}s", ms / 1000.0)),
        false => text(format!("{ms:.0}ms")),
    }
}

/// Nine decimals, which is as far as prices go.
fn per_million(dollars: f64) -> String {
    let text = format!("{:.9}", dollars * 1e6);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}
