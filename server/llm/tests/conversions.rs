//! A client's body on its way to the upstream.

mod cases;

use bytes::Bytes;
use llm::chat::Protocol;
use llm::codecs::openai_chat::OpenAiChat as Codec;
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::{ApiError, ChatCodec, ChatDialect, ErrorKind, Incoming, Target};

const CODEC: Codec = Codec::OPENAI;

fn sent(body: &str, model: &str, system_prompt: Option<&str>) -> String {
    let request = Dialect
        .decode_request(Incoming::of(Bytes::copy_from_slice(body.as_bytes())))
        .unwrap();
    let wire = CODEC
        .encode_request(
            &request,
            &Target {
                model,
                system_prompt,
                api_version: None,
            },
        )
        .unwrap();
    assert_eq!(wire.method, http::Method::POST);
    assert_eq!(wire.path, "/chat/completions");
    assert_eq!(wire.headers["content-type"], "application/json");
    let body = wire.body.concat();
    assert_eq!(wire.body.len(), body.len());
    String::from_utf8(body.to_vec()).unwrap()
}

fn refused(body: &[u8]) -> ApiError {
    let error = Dialect
        .decode_request(Incoming::of(Bytes::copy_from_slice(body)))
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
    error
}

#[test]
fn a_request_that_needs_no_change_is_the_same_bytes() {
    for case in cases::of(Protocol::OpenAiChat, &["request.json"]) {
        let request = case.request();
        assert_eq!(request.model.as_deref(), Some("assistant"), "{}", case.name);
        if request.stream && !request.include_usage {
            continue;
        }
        let target = Target {
            model: "assistant",
            system_prompt: None,
            api_version: None,
        };
        let wire = CODEC.encode_request(&request, &target).unwrap();
        assert_eq!(wire.body.parts().len(), 1, "{}", case.name);
        assert_eq!(wire.body.concat(), request.body, "{}", case.name);
    }
}

#[test]
fn only_the_model_is_changed() {
    let body =
        "{ \"x\":1.0,\t\"model\" : \"a\\u0062\" ,\n\"messages\":[ ], \"y\":{\"model\":\"ab\"} } ";
    let expected = body.replace("\"a\\u0062\"", "\"c\\\"d\"");
    assert_eq!(sent(body, "c\"d", None), expected);
    assert_eq!(sent(body, "ab", None), body);
}

#[test]
fn a_missing_or_null_model_is_filled_in() {
    assert_eq!(
        sent(r#"{"messages":[]}"#, "m", None),
        r#"{"model":"m","messages":[]}"#
    );
    assert_eq!(
        sent(r#"{"model":null,"messages":[]}"#, "m", None),
        r#"{"model":"m","messages":[]}"#
    );
}

#[test]
fn usage_is_asked_for_in_a_stream() {
    let with = |options: &str| format!(r#"{{"model":"m","messages":[],"stream":true{options}}}"#);
    for (given, expected) in [
        (
            r#","stream_options":null"#,
            r#","stream_options":{"include_usage":true}"#,
        ),
        (
            r#","stream_options":{}"#,
            r#","stream_options":{"include_usage":true}"#,
        ),
        (
            r#","stream_options":{"x":1}"#,
            r#","stream_options":{"include_usage":true,"x":1}"#,
        ),
        (
            r#","stream_options":{"include_usage":false,"x":1}"#,
            r#","stream_options":{"include_usage":true,"x":1}"#,
        ),
        (
            r#","stream_options":{"include_usage":null}"#,
            r#","stream_options":{"include_usage":true}"#,
        ),
        (
            r#","stream_options":{"include_usage":true}"#,
            r#","stream_options":{"include_usage":true}"#,
        ),
    ] {
        assert_eq!(sent(&with(given), "m", None), with(expected));
    }
    let added = sent(&with(""), "m", None);
    assert_eq!(
        added,
        r#"{"stream_options":{"include_usage":true},"model":"m","messages":[],"stream":true}"#
    );
    let whole = r#"{"model":"m","messages":[],"stream":false}"#;
    assert_eq!(sent(whole, "m", None), whole);
}

#[test]
fn the_system_prompt_follows_the_clients_own() {
    let with = |messages: &str| format!(r#"{{"model":"m","messages":[{messages}]}}"#);
    let ours = r#"{"role":"system","content":"be \"kind\""}"#;
    let (system, developer, user) = (
        r#"{"role":"system","content":"a"}"#,
        r#"{ "content":[], "role":"developer" }"#,
        r#"{"role":"user","content":"b"}"#,
    );
    for (given, expected) in [
        (String::new(), ours.to_owned()),
        (user.to_owned(), format!("{ours},{user}")),
        (system.to_owned(), format!("{system},{ours}")),
        (
            format!("{system},{user}"),
            format!("{system},{ours},{user}"),
        ),
        (
            format!("{system} , {developer} ,{user},{system}"),
            format!("{system} , {developer},{ours} ,{user},{system}"),
        ),
    ] {
        assert_eq!(
            sent(&with(&given), "m", Some("be \"kind\"")),
            with(&expected)
        );
    }
}

#[test]
fn all_changes_at_once() {
    let body = r#"{"messages":[{"role":"user","content":"b"}],"stream":true}"#;
    let expected = concat!(
        r#"{"model":"m","stream_options":{"include_usage":true},"#,
        r#""messages":[{"role":"system","content":"s"},{"role":"user","content":"b"}],"stream":true}"#
    );
    assert_eq!(sent(body, "m", Some("s")), expected);
}

#[test]
fn a_large_body_is_not_copied() {
    let body = Bytes::from(format!(
        r#"{{"model":"a","messages":[{{"role":"user","content":"{}"}}]}}"#,
        "x".repeat(100_000)
    ));
    let request = Dialect.decode_request(Incoming::of(body.clone())).unwrap();
    let target = Target {
        model: "b",
        system_prompt: None,
        api_version: None,
    };
    let wire = CODEC.encode_request(&request, &target).unwrap();
    let shared = |part: &Bytes| body.as_ptr_range().contains(&part.as_ptr());
    let copied: usize = wire
        .body
        .parts()
        .iter()
        .filter(|part| !shared(part))
        .map(Bytes::len)
        .sum();
    assert_eq!(copied, 3);
}

#[test]
fn wrong_parameters_are_named() {
    for (body, param) in [
        (r#"{"model":5,"messages":[]}"#, "model"),
        (r#"{"model":"m"}"#, "messages"),
        (r#"{"model":"m","messages":null}"#, "messages"),
        (r#"{"model":"m","messages":{}}"#, "messages"),
        (r#"{"model":"m","messages":["hi"]}"#, "messages[0]"),
        (
            r#"{"model":"m","messages":[{"role":"user"},{"role":"user"},3]}"#,
            "messages[2]",
        ),
        (
            r#"{"model":"m","messages":[{"role":7}]}"#,
            "messages[0].role",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","role":"system"}]}"#,
            "messages[0].role",
        ),
        (r#"{"model":"m","messages":[],"stream":"yes"}"#, "stream"),
        (r#"{"model":"m","messages":[],"stream":1}"#, "stream"),
        (
            r#"{"model":"m","messages":[],"stream_options":[]}"#,
            "stream_options",
        ),
        (
            r#"{"model":"m","messages":[],"stream_options":{"include_usage":1}}"#,
            "stream_options.include_usage",
        ),
        (r#"{"model":"m","messages":[],"n":0}"#, "n"),
        (r#"{"model":"m","messages":[],"n":"2"}"#, "n"),
        (r#"{"model":"m","messages":[],"n":1.5}"#, "n"),
        (r#"{"model":"m","messages":[],"model":"m"}"#, "model"),
        (r#"{"model":"m","messages":[],"mod\u0065l":"n"}"#, "model"),
        (
            r#"{"temperature":1,"messages":[],"temperature":2}"#,
            "temperature",
        ),
    ] {
        let error = refused(body.as_bytes());
        assert_eq!(error.param.as_deref(), Some(param), "{body}: {error}");
        assert!(error.message.contains(param), "{body}: {error}");
    }
}

#[test]
fn what_is_not_a_json_object_is_refused() {
    for body in [
        "",
        " ",
        "[]",
        "null",
        "\"x\"",
        "{",
        "{]",
        r#"{"messages":[]}x"#,
        r#"{"messages":[],}"#,
        r#"{"messages":[{}"#,
        "{'a':1}",
        r#"{"messages":[],"a":01}"#,
        r#"{"messages":[],"a":tru}"#,
    ] {
        let error = refused(body.as_bytes());
        assert_eq!(error.param, None, "{body}");
        assert!(error.message.starts_with("The body "), "{body}: {error}");
    }
    refused(b"{\"messages\":[],\"a\":\"\xff\"}");
    refused(b"{\"messages\":[],\"a\":\"\n\"}");
    let deep = format!(
        r#"{{"messages":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    refused(deep.as_bytes());
}
