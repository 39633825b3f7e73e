//! What upstreams' error statuses mean.

mod cases;

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use llm::chat::Protocol;
use llm::codecs;
use llm::codecs::openai_chat::OpenAiChat as Codec;
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::{ApiError, ChatCodec, ChatDialect, ErrorKind, ErrorSource, Incoming};
use serde_json::Value;

const CODEC: Codec = Codec::OPENAI;

#[test]
fn upstream_errors_are_told_apart() {
    for case in cases::with(&["error.json"]) {
        let error = case.json("error.json").unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in error["headers"].as_object().unwrap() {
            let name: HeaderName = name.parse().unwrap();
            headers.insert(
                name,
                HeaderValue::from_str(value.as_str().unwrap()).unwrap(),
            );
        }
        let body = match &error["body"] {
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        let status = u16::try_from(error["status"].as_u64().unwrap()).unwrap();
        let read = case
            .pair
            .codec
            .decode_error(status, &headers, body.as_bytes());
        let expected = &error["expected"];
        assert_eq!(read.kind.as_str(), expected["kind"], "{}", case.name);
        assert_eq!(read.origin.as_str(), expected["origin"], "{}", case.name);
        assert_eq!(
            read.code.as_deref(),
            expected["code"].as_str(),
            "{}",
            case.name
        );
        assert_eq!(
            read.param.as_deref(),
            expected["param"].as_str(),
            "{}",
            case.name
        );
        let wait = expected["retry_after_ms"]
            .as_u64()
            .map(Duration::from_millis);
        assert_eq!(read.retry_after, wait, "{}", case.name);
        assert_eq!(read.upstream_status, Some(status), "{}", case.name);
        assert!(!read.message.is_empty(), "{}", case.name);
        if read.kind == ErrorKind::Authentication {
            assert!(
                !read.message.contains("sk-"),
                "{}: {}",
                case.name,
                read.message
            );
        }
    }
}

/// The sources are in the file.
#[test]
fn services_spellings_are_known() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("data/errors.json")).unwrap();
    assert!(rows.len() > 130);
    let mut wrong = Vec::new();
    for row in rows {
        let protocol = Protocol::from_name(row["protocol"].as_str().unwrap()).unwrap();
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        let headers = row["headers"].as_object().into_iter().flatten();
        let headers = headers.map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (
                name,
                HeaderValue::from_str(value.as_str().unwrap()).unwrap(),
            )
        });
        let body = row["body"].to_string();
        let codec = codecs::find(protocol).unwrap();
        let read = codec.decode_error(status, &headers.collect(), body.as_bytes());
        let wait = read.retry_after.map(|wait| wait.as_millis().to_string());
        let expected = row["retry_after_ms"].as_u64().map(|wait| wait.to_string());
        if row["kind"] != read.kind.as_str() || wait != expected {
            wrong.push(format!(
                "{}: {body} is {} with a wait of {wait:?}",
                row["who"], read.kind
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_status_is_read_without_a_body() {
    for status in 300..600 {
        let error = CODEC.decode_error(status, &HeaderMap::new(), b"");
        assert!(
            error.message.contains(&status.to_string()) || status == 401,
            "{error}"
        );
    }
}

#[test]
fn an_absurd_wait_is_not_believed() {
    for (given, expected) in [
        ("1e300", None),
        ("-1", None),
        ("NaN", None),
        ("soon", None),
        ("999999999", Some(86_400)),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static(given));
        let error = CODEC.decode_error(429, &headers, b"{}");
        assert_eq!(
            error.retry_after,
            expected.map(Duration::from_secs),
            "{given}"
        );
    }
}

#[test]
fn a_long_message_is_cut() {
    let body = format!(r#"{{"error":{{"message":"{}"}}}}"#, "ä".repeat(10_000));
    let error = CODEC.decode_error(500, &HeaderMap::new(), body.as_bytes());
    assert!(error.message.len() < 2_100);
    assert!(error.message.ends_with("ä…"));
}

#[test]
fn an_error_is_written_as_sdks_read_it() {
    let error = ApiError::invalid("no \"such\" thing")
        .with_param("model")
        .with_code("x");
    let written: Value = serde_json::from_slice(&Dialect.encode_error(&error)).unwrap();
    let expected = serde_json::json!({"error": {
        "message": "no \"such\" thing", "type": "invalid_request_error", "param": "model", "code": "x",
    }});
    assert_eq!(written, expected);

    let error = ApiError::new(ErrorKind::RateLimited, ErrorSource::Policy, "slow down");
    let written: Value = serde_json::from_slice(&Dialect.encode_error(&error)).unwrap();
    assert_eq!(written["error"]["code"], "rate_limit_exceeded");
    assert_eq!(written["error"]["param"], Value::Null);
}

#[test]
fn nothing_follows_an_error_in_a_stream() {
    let request = Dialect
        .decode_request(Incoming::of(bytes::Bytes::from_static(
            br#"{"messages":[]}"#,
        )))
        .unwrap();
    let mut encoder = Dialect.stream_encoder(&request);
    let mut out = bytes::BytesMut::new();
    let error = ApiError::new(ErrorKind::Timeout, ErrorSource::Provider, "nothing came");
    encoder.encode_error(&error, &mut out);
    let written = out.clone();
    assert!(written.starts_with(b"data: {\"error\":{\"message\":\"nothing came\""));
    assert!(written.ends_with(b"}\n\n"));
    encoder.encode_error(&error, &mut out);
    encoder.encode(None, &[], &mut out);
    encoder.finish(&mut out);
    assert_eq!(out, written);
}
