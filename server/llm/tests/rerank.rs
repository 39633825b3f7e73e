//! Reranking: what each upstream is asked, and what clients get.

use bytes::Bytes;
use llm::rerank::{CohereRerank, JinaRerank, RerankCodec, RerankRequest, Shape, TeiRerank};
use llm::{ErrorKind, Target};
use serde_json::{Value, json};

const COHERE: &dyn RerankCodec = &CohereRerank;
const JINA: &dyn RerankCodec = &JinaRerank;
const TEI: &dyn RerankCodec = &TeiRerank;

fn request(shape: Shape, body: &Value) -> RerankRequest {
    RerankRequest::decode(Bytes::from(body.to_string()), shape, None).unwrap()
}

fn sent(codec: &dyn RerankCodec, shape: Shape, body: &Value) -> (String, Value, Vec<String>) {
    let wire = codec
        .encode_request(&request(shape, body), &Target::new("up"))
        .unwrap();
    let dropped = wire.losses.dropped.iter().map(ToString::to_string);
    let sent = serde_json::from_slice(&wire.body.concat()).unwrap();
    (wire.path, sent, dropped.collect())
}

fn got(codec: &dyn RerankCodec, shape: Shape, body: &Value, reply: &Value) -> Value {
    let request = request(shape, body);
    let form = codec
        .encode_request(&request, &Target::new("up"))
        .unwrap()
        .form;
    let response = codec
        .decode_response(&request, &form, Bytes::from(reply.to_string()))
        .unwrap();
    serde_json::from_slice(&response.encode(&request).concat()).unwrap()
}

fn v1() -> Value {
    json!({"model": "ours", "query": "q", "documents": ["a", {"text": "b", "title": "t"}], "top_n": 1,
           "return_documents": true, "rank_fields": ["text"]})
}

fn v2() -> Value {
    json!({"model": "ours", "query": "q", "documents": ["a", "b"], "top_n": 1, "max_tokens_per_doc": 9, "priority": 2})
}

#[test]
fn what_is_not_carried_is_asked_in_the_upstreams_words() {
    let (path, body, dropped) = sent(COHERE, Shape::V1, &v1());
    assert_eq!(path, "/v2/rerank");
    assert_eq!(
        body,
        json!({"model": "up", "query": "q", "documents": ["a", "b"], "top_n": 1})
    );
    assert_eq!(dropped, ["rank_fields"]);
    let (path, body, dropped) = sent(JINA, Shape::V2, &v2());
    assert_eq!(path, "/rerank");
    assert_eq!(
        body,
        json!({"model": "up", "query": "q", "documents": ["a", "b"], "top_n": 1, "return_documents": false})
    );
    assert_eq!(dropped, ["priority", "max_tokens_per_doc"]);
    let (path, body, _) = sent(TEI, Shape::V1, &v1());
    assert_eq!(path, "/rerank");
    assert_eq!(
        body,
        json!({"query": "q", "texts": ["a", "b"], "truncate": true})
    );
}

#[test]
fn the_same_shape_is_carried() {
    for (codec, shape, body) in [(JINA, Shape::V1, v1()), (COHERE, Shape::V2, v2())] {
        let (_, sent, dropped) = sent(codec, shape, &body);
        let mut expected = body;
        expected["model"] = json!("up");
        assert_eq!(sent, expected);
        assert!(dropped.is_empty());
    }
    let reply = json!({"model": "up", "object": "list", "odd": 1, "results": [{"index": 1, "relevance_score": 0.5}]});
    let carried = got(JINA, Shape::V1, &v1(), &reply);
    assert_eq!(carried["odd"], 1);
    assert_eq!(carried["model"], "ours");
}

#[test]
fn clients_of_version_1_find_what_they_look_for() {
    let cohere = json!({
        "id": "r1", "results": [{"index": 1, "relevance_score": 0.75}, {"index": 0, "relevance_score": 1e-3}],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    });
    assert_eq!(
        got(COHERE, Shape::V1, &v1(), &cohere),
        json!({
            "id": "r1", "object": "list", "model": "ours",
            "results": [
                {"index": 1, "relevance_score": 0.75, "document": {"text": "b", "title": "t"}},
                {"index": 0, "relevance_score": 1e-3, "document": {"text": "a"}},
            ],
            "meta": {"api_version": {"version": "1"}, "billed_units": {"search_units": 1}},
        })
    );
    let tei = json!([{"index": 0, "score": 0.9}, {"index": 1, "score": 0.1}]);
    assert_eq!(
        got(TEI, Shape::V1, &v1(), &tei)["results"],
        json!([{"index": 0, "relevance_score": 0.9, "document": {"text": "a"}}])
    );
}

#[test]
fn clients_of_version_2_get_no_documents() {
    let jina = json!({
        "model": "up", "usage": {"total_tokens": 12},
        "results": [{"index": 0, "relevance_score": 2, "document": {"text": "a"}}],
    });
    assert_eq!(
        got(JINA, Shape::V2, &v2(), &jina),
        json!({
            "results": [{"index": 0, "relevance_score": 2}],
            "meta": {"api_version": {"version": "2"}, "tokens": {"input_tokens": 12}},
        })
    );
}

#[test]
fn what_is_charged_is_told() {
    let request = request(Shape::V2, &v2());
    let reply = json!({"results": [], "meta": {"billed_units": {"search_units": 3}}});
    let form = llm::ReplyForm::default();
    let response = COHERE
        .decode_response(&request, &form, Bytes::from(reply.to_string()))
        .unwrap();
    assert_eq!(response.consumption().search_units, Some(3));
    assert_eq!(response.consumption().usage, None);
}

#[test]
fn bad_requests_name_the_parameter() {
    for (body, param) in [
        (json!({"query": "q"}), "documents"),
        (json!({"query": "q", "documents": []}), "documents"),
        (json!({"query": "q", "documents": "a"}), "documents"),
        (json!({"documents": ["a"]}), "query"),
        (
            json!({"query": "q", "documents": ["a"], "top_n": -1}),
            "top_n",
        ),
        (
            json!({"query": "q", "documents": [{"text": 1}]}),
            "documents[0].text",
        ),
    ] {
        let error = RerankRequest::decode(Bytes::from(body.to_string()), Shape::V1, None);
        assert_eq!(error.unwrap_err().param.as_deref(), Some(param), "{body}");
    }
    let image = json!({"query": "q", "documents": ["a", {"image": "https://example.com/a.png"}]});
    let image = request(Shape::V1, &image);
    let error = COHERE.encode_request(&image, &Target::new("up"));
    assert_eq!(error.unwrap_err().param.as_deref(), Some("documents[1]"));
    assert!(JINA.encode_request(&image, &Target::new("up")).is_ok());
}

#[test]
fn bad_replies_are_told() {
    let request = request(Shape::V1, &v1());
    for (reply, kind) in [
        ("{}", ErrorKind::BadReply),
        ("[1]", ErrorKind::BadReply),
        (r#"{"results":[{"index":"a"}]}"#, ErrorKind::BadReply),
        (
            r#"{"error":"loading","error_type":"Unhealthy"}"#,
            ErrorKind::UpstreamFailed,
        ),
        (
            r#"{"message":"invalid api token"}"#,
            ErrorKind::UpstreamFailed,
        ),
        ("<html>", ErrorKind::BadReply),
    ] {
        for codec in [COHERE, JINA, TEI] {
            let form = llm::ReplyForm::default();
            let read = codec.decode_response(&request, &form, Bytes::from_static(reply.as_bytes()));
            assert_eq!(read.unwrap_err().kind, kind, "{reply}");
        }
    }
}
