//! Requests: what an upstream is sent of what a client wrote.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::expect::{differences, merged};
use crate::gateway;
use crate::protocols::{CLIENTS, Client, UPSTREAMS, Upstream};
use crate::table::{Cell, Table};

/// The files of a folder beside this one, in order, each with its name.
pub fn behaviours(folder: &str) -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/matrix")
        .join(folder);
    let mut all = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        all.push((path.file_stem().unwrap().to_str().unwrap().to_owned(), json));
    }
    all.sort_by(|a: &(String, Value), b| a.0.cmp(&b.0));
    assert!(!all.is_empty(), "no behaviours in {folder}");
    all
}

pub fn fill(table: &mut Table) {
    for (name, behaviour) in behaviours("requests") {
        for client in &CLIENTS {
            for upstream in &UPSTREAMS {
                let cell = cell(&behaviour, client, upstream);
                table.add(client, upstream, &format!("asked: {name}"), cell);
            }
        }
    }
}

fn cell(behaviour: &Value, client: &Client, upstream: &Upstream) -> Cell {
    let said = &behaviour["clients"][client.name()];
    if let Some(reason) = said["n/a"].as_str() {
        return Cell::NotApplicable(format!("{} (client): {reason}", client.name()));
    }
    if !said.is_object() {
        return Cell::Fails("the client's words are missing".to_owned());
    }
    let body = merged(&client.request(), said);
    let stream = behaviour["stream"] == true;
    let request = match gateway::request(client, &body, stream) {
        Ok(request) => request,
        Err(error) => return Cell::Fails(format!("not read: {error}")),
    };
    let wire = match gateway::sent(upstream, &request) {
        Ok(wire) => wire,
        Err(error) => return Cell::Fails(format!("not sent: {error}")),
    };
    let sent: Value = match serde_json::from_slice(&wire.body.concat()) {
        Ok(sent) => sent,
        Err(error) => return Cell::Fails(format!("no JSON is sent: {error}")),
    };
    let mut expected = behaviour["upstreams"][upstream.name()].clone();
    if client.name() == upstream.name() {
        expected = json!({"body": body});
        if body.get("model").is_some() {
            expected["body"]["model"] = upstream.model.into();
        }
        if stream && body.get("model").is_some() {
            expected["body"]["stream"] = true.into();
        }
        if !wire.form.carried {
            return Cell::Fails("not carried".to_owned());
        }
    }
    if let Some(own) = expected["from"].get(client.name()).cloned() {
        expected = own;
    }
    let mut faults = Vec::new();
    let reason = expected["n/a"].as_str();
    if reason.is_none() && !expected["body"].is_object() {
        return Cell::Fails("the expectation is missing".to_owned());
    }
    if expected["body"].is_object() {
        faults = differences(&expected["body"], &sent);
    }
    let words = |of: &Value| -> Vec<String> {
        let list = of.as_array().into_iter().flatten();
        list.map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    for (what, lost) in [
        ("dropped", &wire.losses.dropped),
        ("emulated", &wire.losses.emulated),
    ] {
        let mut expected = words(&expected[what]);
        let mut noted: Vec<String> = lost.iter().map(|word| word.to_string()).collect();
        expected.sort();
        noted.sort();
        if expected != noted {
            faults.push(format!("{what} is {noted:?}, not {expected:?}"));
        }
    }
    if let Some(path) = expected["path"].as_str()
        && wire.path != path
    {
        faults.push(format!("the path is {}, not {path}", wire.path));
    }
    if !faults.is_empty() {
        return Cell::Fails(faults.join("; "));
    }
    match reason {
        Some(reason) => {
            if words(&expected["dropped"]).is_empty() {
                return Cell::Fails("n/a, but nothing is named as dropped".to_owned());
            }
            Cell::NotApplicable(format!("{} (upstream): {reason}", upstream.name()))
        }
        None => Cell::Good,
    }
}
