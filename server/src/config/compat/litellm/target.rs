//! `litellm_params`: a deployment as a model's target.

use super::super::sheet::{Grade, Sheet, text};
use super::super::source::{Said, Source};
use super::{put, settings};
use crate::config::document::{Node, Table, Value};

/// Members of the request's body.
const PARAMETERS: [&str; 18] = [
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "temperature",
    "thinking",
    "tool_choice",
    "top_k",
    "top_p",
    "user",
];

const KEYS: [&str; 21] = [
    "model",
    "api_key",
    "api_base",
    "base_url",
    "api_version",
    "custom_llm_provider",
    "rpm",
    "tpm",
    "weight",
    "order",
    "timeout",
    "stream_timeout",
    "max_retries",
    "num_retries",
    "organization",
    "extra_headers",
    "input_cost_per_token",
    "output_cost_per_token",
    "max_parallel_requests",
    "default_api_key_rpm_limit",
    "default_api_key_tpm_limit",
];

/// Of each client key, for this model, in a minute.
pub(super) const OF_EACH_KEY: [&str; 2] =
    ["default_api_key_rpm_limit", "default_api_key_tpm_limit"];

/// One target to be.
pub(super) struct Deployment<'t> {
    /// The native provider's name.
    pub provider: String,
    /// With a star: what the client asked for.
    pub model: String,
    line: usize,
    path: String,
    weight: Option<(f64, Said<'t>)>,
    /// What it says of requests and tokens in a minute, by its keys.
    pub rates: Vec<(&'static str, f64, Said<'t>)>,
    table: Table,
    said: Vec<(String, Said<'t>, Grade)>,
}

/// What is left of `litellm_params` once its provider is known.
pub(super) fn target<'t>(
    provider: String,
    model: String,
    mut params: Source<'t>,
    sheet: &mut Sheet<'_>,
) -> Deployment<'t> {
    let mut table = Table::default();
    let mut said_of = Vec::new();
    put(&mut table, "provider", text(&provider), params.line);
    if !model.contains('*') {
        put(&mut table, "model", text(&model), params.line);
    }
    let mut weight = None;
    let mut rates = Vec::new();
    for key in ["weight", "rpm", "tpm"] {
        let Some(said) = params.get(key) else {
            continue;
        };
        let Some(number) = said.number(sheet) else {
            continue;
        };
        let takes = weight.is_none() && number > 0.0;
        if key != "weight" {
            rates.push((key, number, said.clone()));
        }
        let grade = match (key, takes) {
            ("weight", _) => Grade::Exact,
            (_, true) => Grade::Approximate(
                "the target's weight; [[limits]] are of models, not of targets".to_owned(),
            ),
            (_, false) => Grade::NotCarried("[[limits]] are of models, not of targets".to_owned()),
        };
        said_of.push(("weight".to_owned(), said.clone(), grade));
        if takes {
            weight = Some((number, said));
        }
    }
    for key in OF_EACH_KEY {
        if let Some(said) = params.get(key)
            && let Some(number) = said.number(sheet)
        {
            rates.push((key, number, said));
        }
    }
    if let Some(order) = params.get("order") {
        put(&mut table, "priority", order.value.clone(), order.line);
        said_of.push(("priority".to_owned(), order, Grade::Exact));
    }
    if let Some(most) = params.get("max_parallel_requests") {
        put(&mut table, "max_concurrent", most.value.clone(), most.line);
        said_of.push(("max_concurrent".to_owned(), most, Grade::Exact));
    }
    for key in PARAMETERS {
        let Some(said) = params.get(key) else {
            continue;
        };
        put(
            &mut table,
            &format!("parameters.{key}"),
            said.value.clone(),
            said.line,
        );
        let how = "in place of the client's own; there the client's came first".to_owned();
        said_of.push((format!("parameters.{key}"), said, Grade::Approximate(how)));
    }
    for key in ["max_retries", "num_retries"] {
        if let Some(said) = params.get(key) {
            let why = "retries are a model's here: set retry.retries in its [[models]]";
            sheet.not_carried(&said, why);
        }
    }
    let mut known = KEYS.to_vec();
    known.extend(PARAMETERS);
    settings::rest(&params, &known, sheet);
    Deployment {
        provider,
        model,
        line: params.line,
        path: params.path.clone(),
        weight,
        rates,
        table,
        said: said_of,
    }
}

impl Deployment<'_> {
    pub fn target(mut self, place: &str, scale: f64, sheet: &mut Sheet<'_>) -> Node {
        if let Some((weight, said)) = &self.weight {
            let whole = (weight * scale).round().clamp(1.0, 4_000_000_000.0);
            put(
                &mut self.table,
                "weight",
                Value::Integer(format!("{whole:.0}")),
                said.line,
            );
        }
        for (key, said, grade) in self.said {
            sheet
                .origins
                .push((format!("{place}.{key}"), said.path.clone()));
            sheet.grade(&said, &format!("{place}.{key}"), grade);
        }
        sheet.origins.push((place.to_owned(), self.path));
        Node::at(Value::Table(self.table), self.line)
    }
}

/// Weights are whole numbers here.
pub(super) fn weight_scale(deployments: &[Deployment<'_>]) -> f64 {
    let mut weights = deployments
        .iter()
        .filter_map(|deployment| deployment.weight.as_ref());
    if weights.any(|(weight, _)| weight.fract() != 0.0) {
        1000.0
    } else {
        1.0
    }
}
