//! The router with Triton's TOML: a daemon, backends, and models by what they do.
//! <https://github.com/toverainc/ai-router/blob/main/examples/config.toml>
//!
//! Triton is not spoken yet. A model there is left out with a warning, unless another model takes what nothing else
//! directs: then its requests would silently go there, and the start is refused.

mod backends;
mod models;

use super::Format;
use super::sheet::{Grade, Sheet, text};
use super::source::Source;
use crate::config::document::{Table, Value};

pub(super) static FORMAT: Format = Format {
    name: "the router's with [daemon], [backends] and [models]",
    is: |document| document.get("daemon").is_some() || document.get("backends").is_some(),
    translate,
};

const UNSPOKEN: &str = "this version does not speak to Triton yet";

fn translate(document: &Table, sheet: &mut Sheet<'_>) {
    let document = backends::with_variables(document.clone(), sheet);
    let mut source = Source::root(&document);
    super::no_cache(sheet);
    if let Some(title) = source.get("title") {
        sheet.without_effect(&title, "it is for people who read the file");
    }
    let mut has_keys = false;
    match source.table("daemon", sheet) {
        Some(daemon) => has_keys = listener(daemon, sheet),
        None => sheet.wrong_at(
            "daemon".to_owned(),
            1,
            "missing; expected listen_ip and listen_port",
        ),
    }
    let table = source.table("backends", sheet);
    let backends = backends::read(table, has_keys, sheet);
    let models = source.table("models", sheet);
    let models = models::read(models, &backends, sheet);
    models::write(models, &backends, sheet);
    super::not_carried_table(
        &mut source,
        "prompt_models",
        sheet,
        "this version has no prompt templates yet",
    );
    sheet.unknown_rest(
        &source,
        &["title", "daemon", "backends", "models", "prompt_models"],
    );
}

/// Gives whether clients need a key.
fn listener(mut daemon: Source<'_>, sheet: &mut Sheet<'_>) -> bool {
    if let Some(host) = sheet.needed(&mut daemon, "listen_ip", "an address such as \"0.0.0.0\"") {
        sheet.copy("server.host", &host);
    }
    if let Some(port) = sheet.needed(&mut daemon, "listen_port", "a port such as 3000") {
        sheet.copy("server.port", &port);
    }
    match daemon.get("max_body_size") {
        Some(size) => match size.value {
            Value::Integer(mebibytes) => {
                let native = text(format!("{mebibytes}MiB"));
                sheet.set("server.max_body_size", native, &size, Grade::Exact);
            }
            _ => sheet.wrong(&size, "expected a whole number of MiB such as 4"),
        },
        None => sheet.assume("server.max_body_size", text("2MiB")),
    }
    let keys = daemon.get("api_key");
    let keys = keys.map(|said| said.one_or_many(sheet)).unwrap_or_default();
    let count = keys.len();
    let mut any = false;
    for (i, key) in keys.iter().enumerate() {
        if key.text(sheet).is_none() {
            continue;
        }
        any = true;
        let mut item = sheet.item("keys", &key.path, key.line);
        let name = if count == 1 {
            "client".to_owned()
        } else {
            format!("client-{}", i + 1)
        };
        item.assume("name", text(name));
        item.copy(sheet, "key", key);
        sheet.put("keys", item);
    }
    for (key, why) in [
        ("otlp_endpoint", "this version sends no traces yet"),
        (
            "instance_id",
            "this version sends no traces yet, which it would be named in",
        ),
        ("template_dir", "this version has no prompt templates yet"),
    ] {
        if let Some(said) = daemon.get(key) {
            sheet.not_carried_if_on(&said, why);
        }
    }
    let known = [
        "listen_ip",
        "listen_port",
        "api_key",
        "instance_id",
        "max_body_size",
        "otlp_endpoint",
        "template_dir",
    ];
    sheet.unknown_rest(&daemon, &known);
    any
}
