//! `router_settings`, `litellm_settings` and `general_settings`.

use super::super::sheet::{Grade, Sheet, text};
use super::super::source::{Said, Source};
use super::budget;
use super::deployment::duration;
use super::known_model;
use super::limits::Heeded;
use super::values::Variables;
use crate::config::document::Value;
use crate::config::reading::did_you_mean;

/// Words for strategies, ours, and how ours differs.
const STRATEGIES: [(&str, &str, &str); 7] = [
    ("simple-shuffle", "random", ""),
    ("least-busy", "least_busy", ""),
    (
        "latency-based-routing",
        "lowest_latency",
        "the quicker of two by the time to the first token",
    ),
    ("cost-based-routing", "cheapest", ""),
    (
        "usage-based-routing",
        "least_busy",
        "by calls under way, not by tokens used",
    ),
    (
        "usage-based-routing-v2",
        "least_busy",
        "by calls under way, not by tokens used",
    ),
    (
        "provider-budget-routing",
        "random",
        "budgets of providers are not kept",
    ),
];

/// Lists of fallbacks, and where they are here.
const FALLBACKS: [(&str, &str); 3] = [
    ("fallbacks", "fallbacks"),
    ("context_window_fallbacks", "context_length_fallbacks"),
    ("content_policy_fallbacks", "content_filter_fallbacks"),
];

/// What may be said in either of the two.
const EITHER: [&str; 7] = [
    "num_retries",
    "request_timeout",
    "timeout",
    "fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "default_fallbacks",
];

/// A model, and where its requests go else.
type Fallbacks = (String, Vec<String>);

/// Keys of all models.
#[derive(Debug)]
pub(super) struct Routing {
    pub strategy: &'static str,
    /// By the native key: each model's list, `*` for those without one.
    pub fallbacks: Vec<(&'static str, Vec<Fallbacks>)>,
    /// Each with the model that it means.
    pub aliases: Vec<(String, String)>,
    pub of_each_model: Vec<(&'static str, Value)>,
    /// Of the deployments' rates.
    pub heeded: Heeded,
    /// A key that the environment has for clients.
    master_key: Option<String>,
}

impl Routing {
    pub fn read(
        source: &mut Source<'_>,
        variables: &Variables,
        names: &[String],
        sheet: &mut Sheet<'_>,
    ) -> Self {
        let mut routing = Self {
            strategy: STRATEGIES[0].1,
            fallbacks: Vec::new(),
            aliases: Vec::new(),
            of_each_model: Vec::new(),
            heeded: Heeded::default(),
            master_key: None,
        };
        // What the router says comes after, and stays.
        if let Some(table) = source.table("litellm_settings", sheet) {
            routing.library(table, names, sheet);
        }
        if let Some(table) = source.table("router_settings", sheet) {
            routing.router(table, names, sheet);
        }
        let general = source.table("general_settings", sheet);
        routing.general(general, variables, sheet);
        routing
    }

    fn router(&mut self, mut table: Source<'_>, names: &[String], sheet: &mut Sheet<'_>) {
        if let Some(said) = table.get("routing_strategy")
            && let Some(word) = said.text(sheet)
        {
            match STRATEGIES.iter().find(|(theirs, ..)| *theirs == word) {
                Some((_, native, how)) => {
                    self.strategy = native;
                    let grade = match *how {
                        "" => Grade::Exact,
                        how => Grade::Approximate(how.to_owned()),
                    };
                    sheet.grade(&said, "models: strategy", grade);
                }
                None => {
                    let hint = did_you_mean(word, &STRATEGIES.map(|(theirs, ..)| theirs));
                    sheet.wrong(&said, format!("unknown strategy \"{word}\"; {hint}"));
                }
            }
        }
        self.either(&mut table, names, sheet);
        if let Some(said) = table.get("allowed_fails")
            && let Some(allowed) = said.number(sheet)
        {
            let how = "so many in a row, not in a minute".to_owned();
            sheet.grade(&said, "models: breaker.failures", Grade::Approximate(how));
            self.of_each_model.push((
                "breaker.failures",
                Value::Integer(format!("{:.0}", allowed.floor() + 1.0)),
            ));
        }
        if let Some(said) = table.get("cooldown_time")
            && let Some(seconds) = said.number(sheet)
        {
            let how = "grows while it keeps failing".to_owned();
            sheet.grade(&said, "models: breaker.cool_down", Grade::Approximate(how));
            self.of_each_model
                .push(("breaker.cool_down", duration(seconds)));
            if seconds > 300.0 {
                self.of_each_model
                    .push(("breaker.max_cool_down", duration(seconds)));
            }
        }
        if let Some(said) = table.get("enable_pre_call_checks") {
            self.heeded.requests |= said.flag(sheet) == Some(true);
            let how = "a request too long for its model goes to context_length_fallbacks once the provider says so";
            sheet.grade(&said, "", Grade::Approximate(how.to_owned()));
        }
        if let Some(said) = table.get("optional_pre_call_checks") {
            for check in said.one_or_many(sheet) {
                if check.text(sheet) == Some("enforce_model_rate_limits") {
                    self.heeded = Heeded {
                        requests: true,
                        tokens: true,
                    };
                    sheet.grade(&check, "limits", Grade::Exact);
                } else {
                    sheet.not_carried(&check, "there is nothing like it here");
                }
            }
        }
        if let Some(aliases) = table.table("model_group_alias", sheet) {
            self.aliases(&aliases, names, sheet);
        }
        for key in ["redis_host", "redis_port", "redis_password", "redis_url"] {
            if let Some(said) = table.get(key) {
                sheet.not_carried(&said, "gateways do not share what they know of targets yet");
            }
        }
        rest(
            &table,
            &[
                "routing_strategy",
                "allowed_fails",
                "cooldown_time",
                "model_group_alias",
            ],
            sheet,
        );
    }

    fn library(&mut self, mut table: Source<'_>, names: &[String], sheet: &mut Sheet<'_>) {
        self.either(&mut table, names, sheet);
        if let Some(said) = table.get("drop_params")
            && let Some(drop) = said.flag(sheet)
        {
            sheet.set("server.strict", Value::Bool(!drop), &said, Grade::Exact);
        }
        if let Some(said) = table.get("json_logs") {
            match said.flag(sheet) {
                Some(true) => sheet.set("logging.format", text("json"), &said, Grade::Exact),
                _ => sheet.without_effect(&said, "it is off"),
            }
        }
        if let Some(said) = table.get("set_verbose") {
            match said.flag(sheet) {
                Some(true) => {
                    let how =
                        "everything at the level debug, but never prompts and replies".to_owned();
                    sheet.set(
                        "logging.level",
                        text("debug"),
                        &said,
                        Grade::Approximate(how),
                    );
                }
                _ => sheet.without_effect(&said, "it is off"),
            }
        }
        cache(&mut table, sheet);
        budget::read(&mut table, sheet);
        for (keys, why) in [
            (
                &[
                    "max_internal_user_budget",
                    "internal_user_budget_duration",
                    "max_end_user_budget",
                    "default_internal_user_params",
                    "default_team_settings",
                    "default_team_params",
                ][..],
                "clients are keys and projects, whose budgets are written there (keys.budgets, projects.budgets)",
            ),
            (
                &[
                    "callbacks",
                    "success_callback",
                    "failure_callback",
                    "service_callbacks",
                    "audit_log_callbacks",
                ],
                "nothing is called; every request is recorded in the gateway's own database",
            ),
        ] {
            for key in keys {
                if let Some(said) = table.get(key) {
                    sheet.not_carried_if_on(&said, why);
                }
            }
        }
        rest(
            &table,
            &[
                "drop_params",
                "json_logs",
                "set_verbose",
                "max_budget",
                "budget_duration",
                "cache",
                "cache_params",
                "callbacks",
            ],
            sheet,
        );
    }

    fn either(&mut self, table: &mut Source<'_>, names: &[String], sheet: &mut Sheet<'_>) {
        if let Some(said) = table.get("num_retries")
            && said.number(sheet).is_some()
        {
            let how = "of the same target, and only when no other is left".to_owned();
            sheet.grade(&said, "models: retry.retries", Grade::Approximate(how));
            self.of_each_model
                .retain(|(key, _)| *key != "retry.retries");
            self.of_each_model
                .push(("retry.retries", said.value.clone()));
        }
        for key in ["request_timeout", "timeout"] {
            if let Some(said) = table.get(key)
                && let Some(seconds) = said.number(sheet)
            {
                let how = "for a request with all its failovers".to_owned();
                sheet.set(
                    "server.timeouts.total",
                    duration(seconds),
                    &said,
                    Grade::Approximate(how),
                );
            }
        }
        for (theirs, native) in FALLBACKS {
            let Some(said) = table.get(theirs) else {
                continue;
            };
            let lists = fallbacks(&said, names, sheet);
            sheet.grade(&said, &format!("models: {native}"), Grade::Exact);
            match self.fallbacks.iter_mut().find(|(key, _)| *key == native) {
                // The router's own come before.
                Some((_, known)) => known.splice(0..0, lists).for_each(drop),
                None => self.fallbacks.push((native, lists)),
            }
        }
        if let Some(said) = table.get("default_fallbacks") {
            let models = models(&said, names, sheet);
            sheet.grade(&said, "models: fallbacks", Grade::Exact);
            let every = ("*".to_owned(), models);
            match self
                .fallbacks
                .iter_mut()
                .find(|(key, _)| *key == "fallbacks")
            {
                Some((_, known)) => known.push(every),
                None => self.fallbacks.push(("fallbacks", vec![every])),
            }
        }
    }

    fn aliases(&mut self, table: &Source<'_>, names: &[String], sheet: &mut Sheet<'_>) {
        for (alias, said) in table.all() {
            let hidden = match said.value {
                Value::Table(_) => said.table(sheet).and_then(|mut table| table.get("model")),
                _ => Some(said.clone()),
            };
            let Some(target) = hidden else { continue };
            if let Some(name) = target.text(sheet)
                && known_model(&target, name, names, sheet)
            {
                if names.iter().any(|known| known == alias) {
                    sheet.not_carried(&said, "a model has that name already, and answers to it");
                    continue;
                }
                self.aliases.push((alias.to_owned(), name.to_owned()));
                sheet.grade(&said, "models: aliases", Grade::Exact);
            }
        }
    }

    fn general(&mut self, table: Option<Source<'_>>, variables: &Variables, sheet: &mut Sheet<'_>) {
        let Some(mut table) = table else {
            self.master_key = master_key_of_the_environment(sheet);
            return;
        };
        match table.get("master_key").filter(|said| !said.is_off()) {
            Some(said) => {
                let (value, name) = variables.native(&said);
                let how =
                    "a client's key; the dashboard has a token of its own (admin.token)".to_owned();
                let mut item = sheet.item("keys", &said.path, said.line);
                item.assume("name", text("master"));
                if let Some(name) = name {
                    sheet
                        .secret_names
                        .push((format!("{}.key", item.path), name));
                }
                item.set(sheet, "key", value, &said, Grade::Approximate(how));
                sheet.put("keys", item);
            }
            None => self.master_key = master_key_of_the_environment(sheet),
        }
        if let Some(said) = table.get("global_max_parallel_requests") {
            sheet.copy("server.max_concurrent_requests", &said);
        }
        for key in ["background_health_checks", "health_check_interval"] {
            if let Some(said) = table.get(key) {
                let how =
                    "providers are checked every 30 s, with requests that cost nothing".to_owned();
                sheet.grade(&said, "providers: health", Grade::Approximate(how));
            }
        }
        cache(&mut table, sheet);
        for (keys, why) in [
            (
                &[
                    "database_url",
                    "store_model_in_db",
                    "database_connection_pool_limit",
                ][..],
                "keys and models that LiteLLM keeps in its database are not read: write them into the file",
            ),
            (
                &[
                    "alerting",
                    "alerting_threshold",
                    "alert_types",
                    "alerting_args",
                ],
                "nobody is alerted yet",
            ),
            (
                &["max_parallel_requests"],
                "set max_concurrent of providers or targets",
            ),
            (&["custom_auth"], "clients are known by [[keys]] only"),
        ] {
            for key in keys {
                if let Some(said) = table.get(key) {
                    sheet.not_carried_if_on(&said, why);
                }
            }
        }
        rest(
            &table,
            &["master_key", "database_url", "global_max_parallel_requests"],
            sheet,
        );
    }

    pub fn write(&self, sheet: &mut Sheet<'_>) {
        if let Some(variable) = &self.master_key {
            let mut item = sheet.item("keys", "general_settings.master_key", 1);
            item.assume("name", text("master"));
            item.assume("key", text(format!("${{{variable}}}")));
            sheet.put("keys", item);
        }
    }
}

/// Without it in the file, the environment's holds.
fn master_key_of_the_environment(sheet: &Sheet<'_>) -> Option<String> {
    let variable = "LITELLM_MASTER_KEY";
    sheet
        .environment
        .given(variable)
        .map(|_| variable.to_owned())
}

/// What has no equivalent, mistyped or not.
pub(super) fn rest(table: &Source<'_>, known: &[&str], sheet: &mut Sheet<'_>) {
    let mut known = known.to_vec();
    known.extend(EITHER);
    for (key, said) in table.rest() {
        let close = did_you_mean(key, &known);
        let why = match close.starts_with("did you mean") {
            true => format!("there is nothing like it here; {close}"),
            false => "there is nothing like it here".to_owned(),
        };
        sheet.not_carried_if_on(&said, &why);
    }
}

/// `- model: [others]`, one or several in a table.
fn fallbacks(said: &Said<'_>, names: &[String], sheet: &mut Sheet<'_>) -> Vec<Fallbacks> {
    let mut lists = Vec::new();
    for item in said.items(sheet) {
        let Some(table) = item.table(sheet) else {
            continue;
        };
        for (model, said) in table.all() {
            if model != "*" && !known_model(&said, model, names, sheet) {
                continue;
            }
            lists.push((model.to_owned(), models(&said, names, sheet)));
        }
    }
    lists
}

fn models(said: &Said<'_>, names: &[String], sheet: &mut Sheet<'_>) -> Vec<String> {
    let mut models = Vec::new();
    for item in said.one_or_many(sheet) {
        if let Some(name) = item.text(sheet)
            && known_model(&item, name, names, sheet)
        {
            models.push(name.to_owned());
        }
    }
    models
}

/// Answers that are given again: <https://docs.litellm.ai/docs/proxy/caching>
fn cache(table: &mut Source<'_>, sheet: &mut Sheet<'_>) {
    let Some(said) = table.get("cache") else {
        if let Some(parameters) = table.get("cache_params") {
            sheet.without_effect(&parameters, "`cache` is not on");
        }
        return;
    };
    if said.flag(sheet) != Some(true) {
        return sheet.without_effect(&said, "it is off");
    }
    let how = "in the gateway's memory, of equal requests with the same client key".to_owned();
    let on = Value::Bool(true);
    sheet.set("cache.enabled", on, &said, Grade::Approximate(how));
    let Some(mut parameters) = table.table("cache_params", sheet) else {
        return;
    };
    if let Some(ttl) = parameters.get("ttl")
        && let Some(seconds) = ttl.number(sheet)
        && seconds >= 1.0
    {
        let native = text(format!("{}s", seconds.round()));
        sheet.set("cache.ttl", native, &ttl, Grade::Exact);
    }
    let elsewhere = ["type", "host", "port", "password", "url", "namespace"];
    for key in elsewhere {
        if let Some(said) = parameters.get(key) {
            sheet.not_carried_if_on(&said, "answers are kept in the gateway's own memory");
        }
    }
    let known: Vec<&str> = elsewhere.into_iter().chain(["ttl"]).collect();
    rest(&parameters, &known, sheet);
}
