//! Elasticsearch's bulk API, which OpenSearch speaks as well:
//! <https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk>

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::address::Address;
use super::entry::Entry;
use super::service::{Post, Verdict, is_passing, sensitive};
use crate::config::{self, Secret};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Elasticsearch {
    pub address: Address,
    api_key: Option<Secret>,
    index: String,
}

/// What a batch is answered with; of each entry, what became of it, in their order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    errors: bool,
    items: Vec<Value>,
}

impl Elasticsearch {
    /// `None`: nothing goes there.
    pub fn of(config: &config::Elasticsearch) -> Option<Self> {
        if !config.enabled {
            return None;
        }
        Some(Self {
            address: Address::of(config.endpoint.as_deref()?)?,
            api_key: config.api_key.clone(),
            index: config.index.clone(),
        })
    }

    pub fn credentials(&self) -> Option<(HeaderName, HeaderValue)> {
        let key = self.api_key.as_ref()?;
        let value = sensitive(&format!("ApiKey {}", key.expose()))?;
        Some((AUTHORIZATION, value))
    }

    /// Makes the index, with what is known of its fields: the rest follows from what comes.
    pub fn index_request(&self) -> Post {
        let index = json!({
            "settings": {
                // A field that is a number here and a text there is no reason to refuse a line.
                "index.mapping.ignore_malformed": true,
            },
            "mappings": {
                "properties": {
                    "@timestamp": {"type": "date"},
                    "level": {"type": "keyword"},
                    "component": {"type": "keyword"},
                    "message": {"type": "text"},
                    "metadata": {"type": "object"},
                },
            },
        });
        Post {
            method: Method::PUT,
            path: format!("/{}", self.index),
            content_type: "application/json",
            body: index.to_string().into(),
        }
    }

    /// Whether the index is there now. One that was there before is as good.
    pub fn has_index(&self, status: StatusCode, body: &[u8]) -> bool {
        let was_there = || {
            let body = serde_json::from_slice(body).unwrap_or(Value::Null);
            let kind = body["error"]["type"].as_str().unwrap_or_default();
            // A data stream or an alias of that name is as good as an index.
            kind == "resource_already_exists_exception"
                || body["error"]["reason"].as_str().is_some_and(|reason| {
                    reason.contains("alias") || reason.contains("data stream")
                })
        };
        status.is_success() || status == StatusCode::BAD_REQUEST && was_there()
    }

    /// Two lines an entry. It is made under an id of its own: sent twice, it is there once.
    pub fn batch(&self, entries: &[Arc<Entry>]) -> Post {
        let mut body = Vec::new();
        for entry in entries {
            let action = json!({"create": {"_id": entry.id.to_string()}});
            let told = entry.told();
            let document = json!({
                "@timestamp": told.timestamp,
                "level": told.level,
                "component": told.component,
                "message": told.message,
                "metadata": told.metadata,
            });
            for line in [action, document] {
                body.extend_from_slice(line.to_string().as_bytes());
                body.push(b'\n');
            }
        }
        Post {
            method: Method::POST,
            // Of what was taken, no more is told than that.
            path: format!(
                "/{}/_bulk?filter_path=errors,items.*.status,items.*.error.type",
                self.index
            ),
            content_type: "application/x-ndjson",
            body: body.into(),
        }
    }

    /// A batch that is answered with 200 may still have entries that were not taken.
    pub fn verdict(&self, status: StatusCode, body: &[u8], entries: usize) -> Verdict {
        if status == StatusCode::NOT_FOUND {
            return Verdict {
                again: (0..entries).collect(),
                refused: 0,
                problem: Some(format!("there is no index {}", self.index)),
                missing: true,
            };
        }
        let answer = serde_json::from_slice::<Answer>(body).unwrap_or_default();
        if !status.is_success() || !answer.errors {
            return Verdict::of_status(status, entries);
        }
        let mut verdict = Verdict::default();
        for (place, item) in answer.items.iter().take(entries).enumerate() {
            // `{"create": {"status": 201}}`
            let result = item.as_object().and_then(|item| item.values().next());
            let result = result.unwrap_or(&Value::Null);
            let status = result["status"]
                .as_u64()
                .and_then(|status| u16::try_from(status).ok());
            let status = status.and_then(|status| StatusCode::from_u16(status).ok());
            let Some(status) = status else { continue };
            // It is there already: the first time only the answer was lost.
            if status.is_success() || status == StatusCode::CONFLICT {
                continue;
            }
            let kind = result["error"]["type"].as_str().unwrap_or("an error");
            let kind: String = kind.chars().take(100).collect();
            let problem = format!(
                "entries are refused with status {}: {kind}",
                status.as_u16()
            );
            verdict.problem.get_or_insert(problem);
            if status == StatusCode::NOT_FOUND {
                verdict.missing = true;
                verdict.again.push(place);
            } else if is_passing(status) {
                verdict.again.push(place);
            } else {
                verdict.refused += 1;
            }
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entries, lines};
    use super::*;

    fn service(index: &str) -> Elasticsearch {
        let config = config::Elasticsearch {
            endpoint: Some("http://e:9200/base/".to_owned()),
            api_key: Some(Secret::new("the-key")),
            index: index.to_owned(),
            ..config::Elasticsearch::default()
        };
        Elasticsearch::of(&config).unwrap()
    }

    #[test]
    fn a_batch_is_two_lines_an_entry() {
        let service = service("i");
        assert_eq!(service.address.path, "/base");
        let (name, value) = service.credentials().unwrap();
        assert_eq!(
            (name, value.as_bytes()),
            (AUTHORIZATION, &b"ApiKey the-key"[..])
        );
        let entries = entries(2);
        let post = service.batch(&entries);
        assert!(post.path.starts_with("/i/_bulk?"), "{}", post.path);
        let lines = lines(&post.body);
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[0],
            json!({"create": {"_id": entries[0].id.to_string()}})
        );
        assert_eq!(
            lines[1],
            json!({"@timestamp": "2026-11-21T16:14:00.123Z", "level": "INFO", "component": "server::test",
                   "message": "line 0", "metadata": {"number": 0}})
        );
    }

    #[test]
    fn each_entry_has_its_own_fate() {
        let body = json!({"errors": true, "items": [
            {"create": {"status": 201}},
            {"create": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}},
            {"create": {"status": 400, "error": {"type": "document_parsing_exception"}}},
            {"create": {"status": 409, "error": {"type": "version_conflict_engine_exception"}}},
            {"create": {"status": 503, "error": {"type": "unavailable_shards_exception"}}},
        ]});
        let verdict = service("i").verdict(StatusCode::OK, body.to_string().as_bytes(), 5);
        assert_eq!((verdict.again, verdict.refused), (vec![1, 4], 1));
        assert_eq!(
            verdict.problem.as_deref(),
            Some("entries are refused with status 429: es_rejected_execution_exception")
        );
    }

    #[test]
    fn what_is_no_answer_of_a_bulk_counts_by_its_status() {
        let service = service("i");
        for (status, body, again, refused) in [
            (200, "", 0, 0),
            (200, r#"{"errors": false}"#, 0, 0),
            (
                200,
                r#"{"errors": true, "items": [7, {}, {"create": 1}]}"#,
                0,
                0,
            ),
            (503, "busy", 3, 0),
            (429, "{}", 3, 0),
            (401, "{}", 0, 3),
            (404, "{}", 3, 0),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let verdict = service.verdict(status, body.as_bytes(), 3);
            assert_eq!(
                (verdict.again.len(), verdict.refused),
                (again, refused),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn an_index_that_is_there_is_as_good_as_one_that_was_made() {
        let service = service("i");
        let there = br#"{"error": {"type": "resource_already_exists_exception"}}"#;
        for (status, body, expected) in [
            (200, &b"{}"[..], true),
            (400, there, true),
            (400, b"{}", false),
            (403, there, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(service.has_index(status, body), expected, "{status}");
        }
    }
}
