//! The OpenAPI document of the admin API, made of its route table: <https://spec.openapis.org/oas/v3.1.1.html>

mod operation;
mod page;
mod schemas;

pub(super) use self::operation::{Edit, Operation, SchemaOf, does, schema_of};
pub(super) use self::page::page;

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use self::operation::{Content, Reply};
use self::schemas::{Schemas, parameters};
use super::needs::Needs;
use super::problem::Details;
use super::routes;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document(&routes::described()));
static JSON: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(DOCUMENT.to_string()));

/// A row of the route table. One that nobody has described is not in the document.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub method: Method,
    pub path: String,
    pub needs: Needs,
    pub operation: Option<Operation>,
}

/// `GET /api/v1/openapi.json`
pub(super) async fn json() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], JSON.clone()).into_response()
}

fn document(rows: &[Row]) -> Value {
    let mut schemas = Schemas::new();
    let problem = schemas.answered(schema_of::<Details>);
    let mut paths: Map<String, Value> = Map::new();
    let mut sent = Vec::new();
    for row in rows {
        let Some(operation) = &row.operation else {
            continue;
        };
        let path = row.path.replace("{*", "{");
        let described = described(row, &path, operation, &mut schemas);
        let method = row.method.as_str().to_ascii_lowercase();
        sent.push((path.clone(), method.clone()));
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[method] = described;
    }
    let (schemas, renamed) = schemas.finish();
    for (path, method) in sent {
        renamed.apply(&mut paths[&path][&method]["requestBody"]);
        if paths[&path][&method]["requestBody"].is_null()
            && let Some(operation) = paths[&path][&method].as_object_mut()
        {
            operation.remove("requestBody");
        }
    }
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "AI gateway: the admin API",
            "summary": "What operators can ask of the gateway, and change.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The admin listener"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "Problem": {
                    "description": "It was not done, and why (RFC 9457)",
                    "content": {"application/problem+json": {"schema": problem}},
                },
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The admin token",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "ai_gateway_session",
                    "description": "Who has logged in, in a browser. The name ends in the listener's port where it has one.",
                },
            },
        },
    })
}

fn described(row: &Row, path: &str, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut described = json!({
        "operationId": operation_id(&row.method, path),
        "summary": operation.summary,
        "tags": [tag(path)],
        "responses": responses(path, row.needs, operation, schemas),
    });
    let parameters = all_parameters(path, operation);
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(description) = operation.description {
        described["description"] = description.into();
    }
    if let Some(body) = &operation.body {
        let schema = schemas.sent(body.schema);
        described["requestBody"] = json!({
            "required": true,
            "content": {body.media_type: {"schema": schema}},
        });
    }
    match row.needs {
        Needs::Nothing => described["security"] = json!([]),
        Needs::Role(role, _) | Needs::Everywhere(role) => {
            described["x-required-role"] = role.to_string().into();
        }
        Needs::Operator => {}
    }
    described
}

/// `get_keys_name_versions`
fn operation_id(method: &Method, path: &str) -> String {
    let mut id = method.as_str().to_ascii_lowercase();
    let path = match path.strip_prefix("/api/v1") {
        // The process has a `/health`, too.
        Some("/health") | None => path,
        Some(rest) => rest,
    };
    for part in path.split('/').filter(|part| !part.is_empty()) {
        id.push('_');
        let part = part.trim_matches(['{', '}']).replace(['-', '.'], "_");
        id.push_str(&part);
    }
    id
}

/// What it is about: `/api/v1/keys/{name}` is about `keys`.
fn tag(path: &str) -> &str {
    match path.strip_prefix("/api/v1/") {
        Some(rest) => rest.split('/').next().unwrap_or(rest),
        None if path.starts_with("/admin/") => "predecessor",
        None => "gateway",
    }
}

fn all_parameters(path: &str, operation: &Operation) -> Vec<Value> {
    let mut all: Vec<_> = in_path(path)
        .map(|name| {
            let schema = match name {
                "version" => json!({"type": "integer", "minimum": 0}),
                _ => json!({"type": "string", "minLength": 1}),
            };
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
        .collect();
    let query = operation.query.map(parameters).unwrap_or_default();
    all.extend(query.into_iter().map(|(name, mut schema, required)| {
        let description = schema.get_mut("description").map(Value::take);
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("description");
        }
        let mut parameter =
            json!({"name": name, "in": "query", "required": required, "schema": schema});
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameter
    }));
    let header = |name: &str, description: &str, schema: Value| json!({"name": name, "in": "header", "required": false, "description": description, "schema": schema});
    if operation.edit != Edit::None {
        let reason = json!({"type": "string", "maxLength": 1000});
        let why = "Why: it is kept with the version.";
        all.push(header("x-change-reason", why, reason));
    }
    if operation.edit == Edit::Conditional {
        let tag = json!({"type": "string", "examples": ["\"3\""]});
        let unchanged = "The version that has been seen, as its `ETag` says it: nothing is done if there is a later one.";
        all.push(header("If-Match", unchanged, tag));
        let new = "Nothing is done if there is one already.";
        all.push(header("If-None-Match", new, json!({"const": "*"})));
    }
    all
}

fn in_path(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn responses(path: &str, needs: Needs, operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for reply in &operation.replies {
        let described = answered(reply, operation, schemas);
        responses.insert(reply.status.to_string(), described);
    }
    for status in refusals(path, needs, operation) {
        let problem = json!({"$ref": "#/components/responses/Problem"});
        responses.entry(status.to_string()).or_insert(problem);
    }
    Value::Object(responses)
}

fn answered(reply: &Reply, operation: &Operation, schemas: &mut Schemas) -> Value {
    let status = StatusCode::from_u16(reply.status).ok();
    let reason = status.and_then(|status| status.canonical_reason());
    let mut described = json!({"description": reason.unwrap_or("Answered")});
    if let Some(Content { media_type, schema }) = &reply.content {
        described["content"] = json!({*media_type: {"schema": schemas.answered(*schema)}});
        if reply.tagged || operation.edit == Edit::Conditional {
            described["headers"]["ETag"] = json!({
                "description": "The version, for `If-Match`",
                "schema": {"type": "string"},
            });
        }
    }
    if reply.paged {
        described["headers"]["Link"] = json!({
            "description": "Where the list goes on, if it does: `</api/v1/…?after=…>; rel=\"next\"`",
            "schema": {"type": "string"},
        });
    }
    described
}

/// The statuses that its path, its parameters, its body, and the guard before it can lead to, and its own.
fn refusals(path: &str, needs: Needs, operation: &Operation) -> Vec<u16> {
    let mut statuses = vec![421];
    if needs != Needs::Nothing {
        // The guard's, and the database's where it does not answer.
        statuses.extend([401, 403, 429, 503]);
    }
    if operation.query.is_some() || operation.edit != Edit::None {
        statuses.push(400);
    }
    if in_path(path).next().is_some() {
        statuses.extend([400, 404]);
    }
    if operation.body.is_some() {
        statuses.extend([400, 413, 415, 422]);
    }
    match operation.edit {
        Edit::Conditional => statuses.extend([409, 412, 422]),
        Edit::Reasoned => statuses.push(409),
        Edit::None => {}
    }
    statuses.extend(&operation.refusals);
    statuses.sort_unstable();
    statuses
}

#[cfg(test)]
mod tests;
