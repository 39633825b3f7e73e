//! The document as a page to read: no scripts, nothing from elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::DOCUMENT;

const STYLE: &str = include_str!("page.css");

static PAGE: LazyLock<String> = LazyLock::new(|| render(&DOCUMENT));
/// The page's own style, and nothing else.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("Base64 is ASCII")
});

/// `GET /api/docs`
pub(in crate::admin) async fn page() -> Response {
    let policy: (HeaderName, HeaderValue) = (header::CONTENT_SECURITY_POLICY, POLICY.clone());
    ([policy], Html(PAGE.as_str())).into_response()
}

fn render(document: &Value) -> String {
    let title = text(&document["info"]["title"]);
    let version = text(&document["info"]["version"]);
    let mut tags: BTreeMap<&str, Vec<(&str, &str, &Value)>> = BTreeMap::new();
    for (path, methods) in object(&document["paths"]) {
        for (method, operation) in object(methods) {
            let tag = operation["tags"][0].as_str().unwrap_or_default();
            tags.entry(tag).or_default().push((path, method, operation));
        }
    }
    let mut page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><header><h1>{title}</h1><p>Version {version}. As a document for programs: \
         <a href=\"/api/v1/openapi.json\">openapi.json</a> (OpenAPI 3.1).</p></header><nav aria-label=\"Parts\"><ul>"
    );
    for tag in tags.keys() {
        add(
            &mut page,
            format_args!("<li><a href=\"#{0}\">{0}</a></li>", escaped(tag)),
        );
    }
    page.push_str("<li><a href=\"#schemas\">Schemas</a></li></ul></nav><main>");
    for (tag, operations) in &tags {
        add(
            &mut page,
            format_args!("<section><h2 id=\"{0}\">{0}</h2>", escaped(tag)),
        );
        for (path, method, operation) in operations {
            one(&mut page, path, method, operation);
        }
        page.push_str("</section>");
    }
    page.push_str("<section><h2 id=\"schemas\">Schemas</h2>");
    for (name, schema) in object(&document["components"]["schemas"]) {
        let json = serde_json::to_string_pretty(schema).unwrap_or_default();
        let name = escaped(name);
        add(
            &mut page,
            format_args!(
                "<details id=\"schema-{name}\"><summary><code>{name}</code> {}</summary><pre tabindex=\"0\">{}</pre></details>",
                text(&schema["description"]),
                escaped(&json)
            ),
        );
    }
    page.push_str("</section></main></body></html>");
    page
}

fn one(page: &mut String, path: &str, method: &str, operation: &Value) {
    add(
        page,
        format_args!(
            "<details id=\"{}\"><summary><code><b>{}</b> {}</code> {}</summary>",
            text(&operation["operationId"]),
            escaped(&method.to_uppercase()),
            escaped(path),
            text(&operation["summary"])
        ),
    );
    if operation["description"].is_string() {
        add(
            page,
            format_args!("<p>{}</p>", text(&operation["description"])),
        );
    }
    if let Some(parameters) = operation["parameters"].as_array() {
        page.push_str(
            "<table><caption>Parameters</caption><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">In</th>\
             <th scope=\"col\">Type</th><th scope=\"col\">About</th></tr></thead><tbody>",
        );
        for parameter in parameters {
            add(
                page,
                format_args!(
                    "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td><td>{}</td></tr>",
                    text(&parameter["name"]),
                    text(&parameter["in"]),
                    shape(&parameter["schema"]),
                    text(&parameter["description"])
                ),
            );
        }
        page.push_str("</tbody></table>");
    }
    for (media_type, content) in object(&operation["requestBody"]["content"]) {
        let shape = shape(&content["schema"]);
        add(
            page,
            format_args!(
                "<p>Body: {shape} as <code>{}</code></p>",
                escaped(media_type)
            ),
        );
    }
    page.push_str(
        "<table><caption>Answers</caption><thead><tr><th scope=\"col\">Status</th><th scope=\"col\">Body</th></tr></thead><tbody>",
    );
    let mut problems = Vec::new();
    for (status, response) in object(&operation["responses"]) {
        if response.get("$ref").is_some() {
            problems.push(status.as_str());
            continue;
        }
        let mut bodies = String::new();
        for (media_type, content) in object(&response["content"]) {
            let shape = shape(&content["schema"]);
            add(
                &mut bodies,
                format_args!("{shape} as <code>{}</code>", escaped(media_type)),
            );
        }
        let what = text(&response["description"]);
        add(
            page,
            format_args!(
                "<tr><th scope=\"row\">{} {what}</th><td>{bodies}</td></tr>",
                escaped(status)
            ),
        );
    }
    add(
        page,
        format_args!(
            "<tr><th scope=\"row\">{}</th><td><a href=\"#schema-Problem\">Problem</a> as \
             <code>application/problem+json</code></td></tr></tbody></table></details>",
            problems.join(", ")
        ),
    );
}

/// A schema in a few words, with a link where it has a name.
fn shape(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escaped(name));
    }
    if let Some(choices) = schema["enum"].as_array() {
        let choices = choices
            .iter()
            .map(|one| format!("<code>{}</code>", escaped(&one.to_string())));
        return choices.collect::<Vec<_>>().join(", ");
    }
    if schema["const"].is_string() {
        return format!("<code>{}</code>", text(&schema["const"]));
    }
    for choices in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = schema[choices].as_array() {
            let choices: Vec<_> = choices.iter().map(shape).collect();
            return choices.join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(array) if array == "array" => format!("list of {}", shape(&schema["items"])),
        Value::String(name) => escaped(name),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str).map(escaped);
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => "anything".to_owned(),
    }
}

fn object(value: &Value) -> &Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn add(page: &mut String, more: std::fmt::Arguments<'_>) {
    page.write_fmt(more).expect("a string takes anything");
}
