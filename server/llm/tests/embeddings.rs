//! Embeddings: what each upstream is asked, and what clients get.

use bytes::Bytes;
use llm::embeddings::{
    CohereEmbeddings, EmbeddingsCodec, EmbeddingsRequest, GeminiEmbeddings, Input,
    OllamaEmbeddings, OpenAiEmbeddings,
};
use llm::{ErrorKind, ReplyForm, Target};
use proptest::prelude::*;
use serde_json::{Value, json};

const OPENAI: &dyn EmbeddingsCodec = &OpenAiEmbeddings::PLAIN;
const COHERE: &dyn EmbeddingsCodec = &CohereEmbeddings;
const GEMINI: &dyn EmbeddingsCodec = &GeminiEmbeddings;
const OLLAMA: &dyn EmbeddingsCodec = &OllamaEmbeddings;

fn request(body: &Value) -> EmbeddingsRequest {
    EmbeddingsRequest::decode(Bytes::from(body.to_string()), None).unwrap()
}

/// The path and body sent, and what is left out.
fn sent(codec: &dyn EmbeddingsCodec, body: &Value) -> (String, Value, Vec<String>) {
    let wire = codec
        .encode_request(&request(body), &Target::new("up"))
        .unwrap();
    let dropped = wire.losses.dropped.iter().map(ToString::to_string);
    let sent = serde_json::from_slice(&wire.body.concat()).unwrap();
    (wire.path, sent, dropped.collect())
}

/// What the client gets of a reply, and the input tokens.
fn got(codec: &dyn EmbeddingsCodec, body: &Value, reply: &Value) -> (Value, Option<u64>) {
    let request = request(body);
    let reply = Bytes::from(reply.to_string());
    let response = codec
        .decode_response(&request, &ReplyForm::default(), reply)
        .unwrap();
    let tokens = response.usage.map(|usage| usage.input_tokens);
    let body = response.encode(&request).concat();
    (serde_json::from_slice(&body).unwrap(), tokens)
}

fn everything() -> Value {
    json!({"model": "ours", "input": ["a", "b"], "encoding_format": "float", "dimensions": 2, "user": "u",
           "input_type": "search_query", "truncate": "END", "odd": 1})
}

/// <https://docs.cohere.com/reference/embed>
#[test]
fn cohere_is_asked_in_its_own_words() {
    let (path, body, dropped) = sent(COHERE, &everything());
    assert_eq!(path, "/v2/embed");
    assert_eq!(
        body,
        json!({"model": "up", "input_type": "search_query", "texts": ["a", "b"], "embedding_types": ["float"],
               "output_dimension": 2, "truncate": "END"})
    );
    assert_eq!(dropped, ["user", "odd"]);
    let (_, body, dropped) = sent(COHERE, &json!({"model": "ours", "input": "a"}));
    assert_eq!(body["input_type"], "search_document");
    assert!(dropped.is_empty());
}

/// <https://ai.google.dev/api/embeddings>
#[test]
fn gemini_is_asked_in_its_own_words() {
    let (path, body, dropped) = sent(GEMINI, &everything());
    assert_eq!(path, "/models/up:batchEmbedContents");
    let one = |text: &str| {
        json!({"model": "models/up", "content": {"parts": [{"text": text}]}, "taskType": "RETRIEVAL_QUERY",
               "outputDimensionality": 2})
    };
    assert_eq!(body, json!({"requests": [one("a"), one("b")]}));
    assert_eq!(dropped, ["user", "odd", "truncate"]);
}

/// <https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings>
#[test]
fn ollama_is_asked_in_its_own_words() {
    let (path, body, dropped) = sent(OLLAMA, &everything());
    assert_eq!(path, "/embed");
    assert_eq!(
        body,
        json!({"model": "up", "input": ["a", "b"], "dimensions": 2, "truncate": "END"})
    );
    assert_eq!(dropped, ["user", "odd", "input_type"]);
}

#[test]
fn openais_bytes_are_carried() {
    let body = Bytes::from_static(br#"{ "odd":1.0,"model" : "ours","input":[1,2] }"#);
    let request = EmbeddingsRequest::decode(body, None).unwrap();
    let wire = OPENAI.encode_request(&request, &Target::new("up")).unwrap();
    assert_eq!(wire.path, "/embeddings");
    assert!(wire.losses.is_empty());
    assert_eq!(
        wire.body.concat(),
        r#"{ "odd":1.0,"model" : "up","input":[1,2] }"#
    );
}

#[test]
fn every_reply_is_in_openais_shape() {
    let asked = json!({"model": "ours", "input": ["a", "b"]});
    let floats = json!([[0.5, -1.25], [3, 4e-2]]);
    let expected = |tokens: u64| {
        json!({
            "object": "list",
            "data": [
                {"object": "embedding", "index": 0, "embedding": [0.5, -1.25]},
                {"object": "embedding", "index": 1, "embedding": [3, 4e-2]},
            ],
            "model": "ours",
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        })
    };
    let openai = json!({
        "object": "list", "model": "up", "usage": {"prompt_tokens": 7, "total_tokens": 7},
        "data": [
            {"object": "embedding", "index": 0, "embedding": floats[0]},
            {"object": "embedding", "index": 1, "embedding": floats[1]},
        ],
    });
    assert_eq!(got(OPENAI, &asked, &openai), (expected(7), Some(7)));
    let cohere = json!({
        "id": "1", "texts": ["a", "b"], "embeddings": {"float": floats}, "response_type": "embeddings_by_type",
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 7.0}},
    });
    assert_eq!(got(COHERE, &asked, &cohere), (expected(7), Some(7)));
    let gemini = json!({"embeddings": [{"values": floats[0]}, {"values": floats[1]}]});
    assert_eq!(got(GEMINI, &asked, &gemini), (expected(0), None));
    let ollama =
        json!({"model": "up", "embeddings": floats, "total_duration": 9, "prompt_eval_count": 7});
    assert_eq!(got(OLLAMA, &asked, &ollama), (expected(7), Some(7)));
}

#[test]
fn clients_get_the_encoding_they_asked_for() {
    let base64 = "AAAAPwAAoL8=";
    let reply = |vector: Value| json!({"object": "list", "model": "up", "data": [{"index": 0, "embedding": vector}]});
    let as_base64 = json!({"model": "ours", "input": "a", "encoding_format": "base64"});
    let as_floats = json!({"model": "ours", "input": "a"});
    for written in [json!(base64), json!([0.5, -1.25])] {
        let (body, _) = got(OPENAI, &as_base64, &reply(written.clone()));
        assert_eq!(body["data"][0]["embedding"], base64);
        let (body, _) = got(OPENAI, &as_floats, &reply(written));
        assert_eq!(body["data"][0]["embedding"], json!([0.5, -1.25]));
        assert_eq!(body["model"], "ours");
    }
}

#[test]
fn vectors_come_in_the_order_of_the_inputs() {
    let asked = json!({"model": "ours", "input": ["a", "b"], "encoding_format": "base64"});
    let reply = json!({"data": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]});
    let (body, _) = got(OPENAI, &asked, &reply);
    assert_eq!(body["data"][0]["embedding"], "AACAPw==");
    assert_eq!(body["data"][1]["embedding"], "AAAAQA==");
}

#[test]
fn tokens_cannot_be_told_to_others() {
    let body = json!({"model": "ours", "input": [[1, 2], [3]]});
    let read = request(&body);
    assert!(matches!(&read.input, Input::Tokens(tokens) if tokens.len() == 2));
    for codec in [COHERE, GEMINI, OLLAMA] {
        let error = codec.encode_request(&read, &Target::new("up")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
        assert_eq!(error.param.as_deref(), Some("input"));
    }
}

#[test]
fn bad_requests_name_the_parameter() {
    for (body, param) in [
        (json!({"model": "m"}), "input"),
        (json!({"model": "m", "input": []}), "input"),
        (json!({"model": "m", "input": [1, "a"]}), "input"),
        (json!({"model": "m", "input": [["a"]]}), "input"),
        (json!({"model": "m", "input": {"text": "a"}}), "input"),
        (json!({"model": 1, "input": "a"}), "model"),
        (
            json!({"input": "a", "encoding_format": "int8"}),
            "encoding_format",
        ),
        (json!({"input": "a", "dimensions": "2"}), "dimensions"),
    ] {
        let error = EmbeddingsRequest::decode(Bytes::from(body.to_string()), None).unwrap_err();
        assert_eq!(error.param.as_deref(), Some(param), "{body}");
    }
}

#[test]
fn too_few_vectors_are_a_bad_reply_and_errors_are_told() {
    let asked = request(&json!({"model": "ours", "input": ["a", "b"]}));
    let read = |codec: &dyn EmbeddingsCodec, reply: Value| {
        let reply = Bytes::from(reply.to_string());
        let read = codec.decode_response(&asked, &ReplyForm::default(), reply);
        let error = read.unwrap_err();
        (error.kind, error.message)
    };
    for (codec, reply) in [
        (OPENAI, json!({"data": [{"embedding": [1]}]})),
        (COHERE, json!({"embeddings": {"float": [[1]]}})),
        (GEMINI, json!({"embeddings": [{"values": [1]}]})),
        (OLLAMA, json!({"embeddings": [[1]]})),
    ] {
        let (kind, message) = read(codec, reply);
        assert_eq!(kind, ErrorKind::BadReply);
        assert_eq!(message, "the upstream answered 1 vectors for 2 inputs");
        let (kind, message) = read(codec, json!({"error": {"message": "no such model"}}));
        assert_eq!(kind, ErrorKind::UpstreamFailed);
        assert_eq!(message, "no such model");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(body in ".{0,200}", json in any_json()) {
        let asked = request(&serde_json::json!({"input": ["a", "b"], "encoding_format": "base64"}));
        for body in [body, json.to_string()] {
            let body = Bytes::from(body);
            let _ = EmbeddingsRequest::decode(body.clone(), Some("m"));
            for batch in [true, false] {
                let _ = EmbeddingsRequest::decode_contents(body.clone(), Some("m"), batch);
            }
            for codec in [OPENAI, COHERE, GEMINI, OLLAMA] {
                if let Ok(read) = codec.decode_response(&asked, &ReplyForm::default(), body.clone()) {
                    let written = read.encode(&asked).concat();
                    prop_assert!(serde_json::from_slice::<Value>(&written).is_ok());
                }
            }
        }
    }
}

/// Something that looks like a reply.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ab]{0,3}".prop_map(Value::from),
    ];
    let key = proptest::sample::select(vec![
        "data",
        "embedding",
        "embeddings",
        "float",
        "values",
        "index",
        "usage",
        "prompt_tokens",
        "meta",
        "model",
        "input",
        "error",
    ]);
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(key.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// <https://ai.google.dev/api/embeddings>
mod contents {
    use super::*;

    fn contents(body: &Value, batch: bool) -> EmbeddingsRequest {
        let body = Bytes::from(body.to_string());
        EmbeddingsRequest::decode_contents(body, Some("ours"), batch).unwrap()
    }

    fn asked(
        codec: &dyn EmbeddingsCodec,
        request: &EmbeddingsRequest,
    ) -> (String, Value, Vec<String>) {
        let wire = codec.encode_request(request, &Target::new("up")).unwrap();
        let dropped = wire.losses.dropped.iter().map(ToString::to_string);
        let sent = serde_json::from_slice(&wire.body.concat()).unwrap();
        (wire.path, sent, dropped.collect())
    }

    fn told(codec: &dyn EmbeddingsCodec, request: &EmbeddingsRequest, reply: &Value) -> Value {
        let reply = Bytes::from(reply.to_string());
        let response = codec.decode_response(request, &ReplyForm::default(), reply);
        serde_json::from_slice(&response.unwrap().encode(request).concat()).unwrap()
    }

    fn one() -> Value {
        json!({"model": "models/ours", "content": {"parts": [{"text": "a"}, {"text": "b"}]},
            "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 2, "title": "T"})
    }

    fn several() -> Value {
        json!({"requests": [
            {"content": {"parts": [{"text": "a"}]}, "task_type": "CLUSTERING", "new": {"x": 1.0}},
            {"model": "models/ours", "content": {"parts": [{"text": "b"}]}, "task_type": "CLASSIFICATION", "new": {"x": 1.0}},
        ]})
    }

    #[test]
    fn are_carried_to_an_upstream_of_the_protocol() {
        let request = contents(&one(), false);
        let (path, body, dropped) = asked(GEMINI, &request);
        let mut expected = one();
        expected["model"] = json!("models/up");
        assert_eq!((path.as_str(), body), ("/models/up:embedContent", expected));
        assert_eq!(dropped, [""; 0]);
        let reply = json!({"embedding": {"values": [0.10, -2]}});
        assert_eq!(told(GEMINI, &request, &reply), reply);

        let request = contents(&several(), true);
        let (path, body, _) = asked(GEMINI, &request);
        let mut expected = several();
        expected["requests"][0]["model"] = json!("models/up");
        expected["requests"][1]["model"] = json!("models/up");
        assert_eq!(
            (path.as_str(), body),
            ("/models/up:batchEmbedContents", expected)
        );
        let reply = json!({"embeddings": [{"values": [1]}, {"values": [2]}], "usageMetadata": {"promptTokenCount": 4}});
        assert_eq!(told(GEMINI, &request, &reply), reply);
    }

    #[test]
    fn are_asked_of_others_in_their_words() {
        let request = contents(&one(), false);
        let (_, body, dropped) = asked(OPENAI, &request);
        assert_eq!(
            body,
            json!({"model": "up", "input": ["a\nb"], "dimensions": 2})
        );
        assert_eq!(dropped, ["title", "taskType"]);
        let reply = json!({"data": [{"index": 0, "embedding": [0.5, 1]}], "model": "up", "usage": {"prompt_tokens": 3}});
        assert_eq!(
            told(OPENAI, &request, &reply),
            json!({"embedding": {"values": [0.5, 1]}, "usageMetadata": {"promptTokenCount": 3}})
        );
        let (_, body, dropped) = asked(COHERE, &request);
        assert_eq!(body["input_type"], "search_query");
        assert_eq!(dropped, ["title"]);

        // Each wants something else, which no other protocol can say.
        let request = contents(&several(), true);
        let (_, body, dropped) = asked(OLLAMA, &request);
        assert_eq!(body["input"], json!(["a", "b"]));
        assert_eq!(dropped, ["new", "taskType"]);
        let reply = json!({"embeddings": [[1], [2]]});
        assert_eq!(
            told(OLLAMA, &request, &reply),
            json!({"embeddings": [{"values": [1]}, {"values": [2]}]})
        );
    }

    #[test]
    fn that_are_no_text_only_their_own_protocol_takes() {
        let body = json!({"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}});
        let request = contents(&body, false);
        assert!(GEMINI.encode_request(&request, &Target::new("up")).is_ok());
        for codec in [OPENAI, COHERE, OLLAMA] {
            let error = codec
                .encode_request(&request, &Target::new("up"))
                .unwrap_err();
            assert_eq!(error.param.as_deref(), Some("content"));
        }
    }

    proptest! {
        #[test]
        fn of_any_shape_are_carried_as_json(content in any_json(), more in any_json(), batch: bool) {
            let one = json!({"content": {"parts": content}, "taskType": more});
            let body = if batch { json!({"requests": [one, more]}) } else { one };
            let body = Bytes::from(body.to_string());
            if let Ok(request) = EmbeddingsRequest::decode_contents(body, Some("m"), batch) {
                for codec in [OPENAI, COHERE, GEMINI, OLLAMA] {
                    if let Ok(wire) = codec.encode_request(&request, &Target::new("up")) {
                        prop_assert!(serde_json::from_slice::<Value>(&wire.body.concat()).is_ok());
                    }
                }
            }
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (body, batch, param) in [
            (json!({}), false, Some("content")),
            (json!({"content": "a"}), false, Some("content")),
            (json!({}), true, Some("requests")),
            (json!({"requests": []}), true, Some("requests")),
            (json!({"requests": [{}]}), true, Some("requests[0].content")),
            (json!([]), false, None),
        ] {
            let read =
                EmbeddingsRequest::decode_contents(Bytes::from(body.to_string()), None, batch);
            assert_eq!(read.unwrap_err().param.as_deref(), param, "{body}");
        }
    }
}
