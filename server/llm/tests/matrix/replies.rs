//! Replies: what a client is told of what an upstream answered.

use std::time::Duration;

use serde_json::{Value, json};

use crate::expect::{differences, merged};
use crate::gateway;
use crate::protocols::{CLIENTS, Client, UPSTREAMS, Upstream};
use crate::requests::behaviours;
use crate::table::{Cell, Table};
use crate::{collected, turns};

pub fn fill(table: &mut Table) {
    for (name, behaviour) in behaviours("replies") {
        for client in &CLIENTS {
            for upstream in &UPSTREAMS {
                let said = &behaviour["upstreams"][upstream.name()];
                let cell = match said["n/a"].as_str() {
                    Some(reason) => {
                        Cell::NotApplicable(format!("{} (upstream): {reason}", upstream.name()))
                    }
                    None => cell(&behaviour, said, client, upstream),
                };
                table.add(client, upstream, &format!("told: {name}"), cell);
            }
        }
    }
}

fn cell(behaviour: &Value, said: &Value, client: &Client, upstream: &Upstream) -> Cell {
    let mut expected = behaviour["clients"][client.name()].clone();
    // What this upstream cannot say of it, or says otherwise.
    if let Some(own) = said["told"].get(client.name()) {
        expected = merged(&expected, own);
    }
    if let Some(reason) = expected["n/a"].as_str() {
        return Cell::NotApplicable(format!("{} (client): {reason}", client.name()));
    }
    if !expected.is_object() {
        return Cell::Fails("the expectation is missing".to_owned());
    }
    match faults(behaviour, said, &expected, client, upstream) {
        Ok(faults) if faults.is_empty() => Cell::Good,
        Ok(faults) => Cell::Fails(faults.join("; ")),
        Err(fault) => Cell::Fails(fault),
    }
}

fn faults(
    behaviour: &Value,
    said: &Value,
    expected: &Value,
    client: &Client,
    upstream: &Upstream,
) -> Result<Vec<String>, String> {
    let asked = behaviour["ask"].get(client.name());
    let body = merged(&client.request(), asked.unwrap_or(&json!({})));
    let mut faults = Vec::new();
    // The upstream's own name of the model must not be seen.
    let said = said.to_string().replace("upstream-model", upstream.model);
    let said: Value = serde_json::from_str(&said).unwrap();
    if let Some(status) = said["status"].as_u64() {
        error(
            &said,
            u16::try_from(status).unwrap(),
            expected,
            client,
            upstream,
            &mut faults,
        );
        return Ok(faults);
    }
    let mut told = Vec::new();
    if let Some(whole) = said.get("whole") {
        let request = gateway::request(client, &body, false).map_err(|e| e.to_string())?;
        let reply = gateway::whole(client, upstream, &request, whole)?;
        told.push(("whole", reply));
    }
    let events = said["stream"].as_array().ok_or("no stream is given")?;
    let request = gateway::request(client, &body, true).map_err(|e| e.to_string())?;
    let ends = behaviour["cut"] != true;
    let written = gateway::stream(client, upstream, &request, &upstream.stream(events, ends))?;
    told.push(("stream", collected::read(client, &written)?));
    for (how, reply) in told {
        let mut expected = expected.clone();
        if let Some(only) = expected.as_object_mut().and_then(|all| all.remove(how)) {
            expected = merged(&expected, &only);
        }
        for key in ["whole", "stream"] {
            expected.as_object_mut().unwrap().remove(key);
        }
        let different = differences(&expected, &reply);
        faults.extend(different.iter().map(|fault| format!("{how}: {fault}")));
        if reply.to_string().contains(upstream.model) {
            faults.push(format!("{how}: the upstream's model is told"));
        }
        let model = match client.name() {
            "gemini" => &reply["modelVersion"],
            _ => &reply["model"],
        };
        if reply.get("error").is_none_or(Value::is_null) && *model != gateway::MODEL {
            faults.push(format!("{how}: the model is {model}"));
        }
        if !different.is_empty() {
            faults.push(format!("{how} is {reply}"));
        }
        if let Some(again) = said.get("again") {
            let next = turns::next(client, &body, &reply);
            let request = gateway::request(client, &next, false)
                .map_err(|error| format!("{how}, again: not read: {error}"))?;
            let wire = gateway::sent(upstream, &request)
                .map_err(|error| format!("{how}, again: not sent: {error}"))?;
            let sent = serde_json::from_slice(&wire.body.concat()).unwrap();
            let different = differences(again, &sent);
            faults.extend(
                different
                    .iter()
                    .map(|fault| format!("{how}, again: {fault}")),
            );
            if !different.is_empty() {
                faults.push(format!("{how}, again: {next} became {sent}"));
            }
        }
    }
    Ok(faults)
}

/// A reply with an error status.
fn error(
    said: &Value,
    status: u16,
    expected: &Value,
    client: &Client,
    upstream: &Upstream,
    faults: &mut Vec<String>,
) {
    let mut headers = http::HeaderMap::new();
    if let Some(seconds) = said["retry_after"].as_str() {
        headers.insert("retry-after", seconds.parse().unwrap());
    }
    let body = said["whole"].to_string();
    let error = upstream
        .codec
        .decode_error(status, &headers, body.as_bytes());
    let wait = said["retry_after"].as_str().map(|seconds| {
        let seconds = seconds.parse().unwrap();
        Duration::from_secs(seconds)
    });
    if error.retry_after != wait {
        faults.push(format!("retry after {:?}, not {wait:?}", error.retry_after));
    }
    let told: Value = serde_json::from_slice(&client.dialect.encode_error(&error)).unwrap();
    let told = json!({"status": client.dialect.status(&error), "body": told});
    let different = differences(expected, &told);
    if !different.is_empty() {
        faults.extend(different);
        faults.push(format!("told: {told}"));
    }
}
