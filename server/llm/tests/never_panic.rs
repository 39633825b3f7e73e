//! Arbitrary bytes never panic, and the scanner agrees with a parser that many trust.

mod cases;

use bytes::{Bytes, BytesMut};
use llm::chat::ChatRequest;
use llm::codecs::openai_chat::OpenAiChat as Codec;
use llm::dialects::openai_chat::OpenAiChat as Dialect;
use llm::json::{Edit, Object, Scanner, splice};
use llm::{ChatCodec, ChatDialect, Incoming, ReplyForm, SseFramer, Target};
use proptest::prelude::*;
use proptest::strategy::Union;

const CODEC: Codec = Codec::OPENAI;

/// Bytes with a good chance of being nearly right: pieces of JSON and of event streams, and noise.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\",
        b"\\u00e4",
        b"\\ud83d",
        b"null",
        b"true",
        b"-0.5e+1",
        b"01",
        b"\"id\":",
        b"\"model\":\"m\"",
        b"\"choices\":[",
        b"{\"index\":0,",
        b"\"delta\":{",
        b"\"message\":{",
        b"\"content\":",
        b"\"tool_calls\":[",
        b"\"function\":{",
        b"\"arguments\":",
        b"\"finish_reason\":\"stop\"",
        b"\"usage\":{",
        b"\"prompt_tokens\":18446744073709551615",
        b"\"messages\":[",
        b"{\"role\":\"system\"}",
        b"\"stream\":true",
        b"\"stream_options\":{",
        b"\"error\":{",
        b"data: ",
        b"data:",
        b"event: error",
        b"[DONE]",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b": x",
        b"\xef\xbb\xbf",
        b"\xf0\x9f",
        b"\xc3\xa4",
        b" ",
        b"\0",
    ];
    let known = prop::sample::select(pieces).prop_map(<[u8]>::to_vec);
    let piece = Union::new_weighted(vec![
        (9, known.boxed()),
        (1, prop::collection::vec(any::<u8>(), 0..6).boxed()),
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A valid document, spelled in odd ways.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just(" true\t".to_owned()),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        any::<char>().prop_map(|c| {
            let mut units = [0; 2];
            let escaped: String = c
                .encode_utf16(&mut units)
                .iter()
                .map(|unit| format!("\\u{unit:04X}"))
                .collect();
            format!("\"{escaped}\"")
        }),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|items| format!("[{}\n]", items.join(" ,"))),
            prop::collection::vec((any::<String>(), inner), 0..6).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| format!("{} :{value}", serde_json::to_string(key).unwrap()))
                    .collect();
                format!("{{ {}}}", members.join(","))
            }),
        ]
    })
}

fn request() -> ChatRequest {
    Dialect
        .decode_request(Incoming::of(Bytes::from_static(
            br#"{"model":"m","messages":[],"stream":true}"#,
        )))
        .unwrap()
}

/// Whether the scanner takes it all for one value.
fn scans(document: &[u8]) -> bool {
    let Ok(mut scanner) = Scanner::from_utf8(document) else {
        return false;
    };
    scanner.skip_value().is_ok() && scanner.end().is_ok()
}

/// Whether serde_json takes it for one value, looking at syntax only.
fn parses(document: &[u8]) -> bool {
    std::str::from_utf8(document).is_ok()
        && serde_json::from_slice::<Box<serde_json::value::RawValue>>(document).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn the_scanner_agrees_with_serde_json(document in nearly()) {
        prop_assert_eq!(scans(&document), parses(&document));
    }

    #[test]
    fn valid_json_is_taken(document in json()) {
        prop_assert!(parses(document.as_bytes()));
        prop_assert!(scans(document.as_bytes()));
    }

    #[test]
    fn strict_prefixes_of_an_object_are_not_taken(document in json(), at in any::<prop::sample::Index>()) {
        let document = format!("{{\"a\":{document}}}");
        let at = at.index(document.len());
        prop_assert!(!scans(&document.as_bytes()[..at]));
    }

    #[test]
    fn strings_read_as_serde_json_reads_them(text in any::<String>()) {
        let ascii: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        for spelled in [serde_json::to_string(&text).unwrap(), format!("\"{ascii}\"")] {
            let mut scanner = Scanner::new(&spelled);
            let string = scanner.string().unwrap();
            prop_assert_eq!(string.decode(), text.as_str());
            prop_assert_eq!(string.text(&Bytes::from(spelled.clone())), text.as_str());
            prop_assert_eq!(&spelled[string.span()], spelled.as_str());
        }
    }

    #[test]
    fn a_set_member_is_all_that_changes(document in json(), key in any::<String>(), value in json()) {
        let document = format!(r#"{{"a":{document},"b":{document}}}"#);
        let mut object = Object::scan(Bytes::from(document.clone())).unwrap();
        object.set(&key, Bytes::from(value.clone()));
        object.remove("a");
        let changed: serde_json::Value = serde_json::from_slice(&object.finish().concat()).unwrap();
        let mut expected: serde_json::Value = serde_json::from_str(&document).unwrap();
        expected[&key] = serde_json::from_str(&value).unwrap();
        expected.as_object_mut().unwrap().remove("a");
        if key != "a" {
            prop_assert_eq!(changed, expected);
        }
    }

    #[test]
    fn splicing_keeps_what_lies_between(body in nearly(), edits in prop::collection::vec((any::<prop::sample::Index>(), nearly()), 0..5)) {
        let body = Bytes::from(body);
        let mut places: Vec<_> = edits.iter().map(|(at, with)| (at.index(body.len() + 1), with)).collect();
        places.sort_by_key(|(at, _)| *at);
        let mut expected = Vec::new();
        let mut from = 0;
        for (at, with) in &places {
            expected.extend_from_slice(&body[from..*at]);
            expected.extend_from_slice(with);
            from = *at;
        }
        expected.extend_from_slice(&body[from..]);
        let edits = places.iter().map(|(at, with)| Edit { span: *at..*at, with: Bytes::copy_from_slice(with) }).collect();
        prop_assert_eq!(splice(&body, edits).concat(), expected);
    }

    #[test]
    fn requests(body in nearly(), prompt in any::<Option<String>>()) {
        if let Ok(request) = Dialect.decode_request(Incoming::of(Bytes::from(body))) {
            let target = Target { model: "other", system_prompt: prompt.as_deref(), api_version: None };
            let sent = CODEC.encode_request(&request, &target).unwrap().body.concat();
            let again = Dialect.decode_request(Incoming::of(sent)).unwrap();
            prop_assert_eq!(again.model.as_deref(), Some("other"));
            prop_assert_eq!(again.include_usage, request.stream || request.include_usage);
        }
    }

    #[test]
    fn replies(body in nearly()) {
        let request = request();
        let _ = CODEC.decode_error(500, &http::HeaderMap::new(), &body);
        if let Ok(response) = CODEC.decode_response(&request, &ReplyForm::default(), Bytes::from(body)) {
            let _ = Dialect.encode_response(&request, &response);
        }
    }

    #[test]
    fn streams(chunks in prop::collection::vec(nearly(), 0..6)) {
        let _ = cases::read(&cases::OPENAI_CHAT, &request(), chunks.into_iter().map(Bytes::from));
    }

    #[test]
    fn frames_in_a_row_are_the_stream(chunks in prop::collection::vec(nearly(), 0..6)) {
        let stream = chunks.concat();
        let mut framer = SseFramer::new();
        let mut joined = BytesMut::new();
        for chunk in chunks {
            framer.push(Bytes::from(chunk));
            while let Some(frame) = framer.next().unwrap() {
                prop_assert!(!frame.raw.is_empty());
                joined.extend_from_slice(&frame.raw);
            }
        }
        if let Some(frame) = framer.finish() {
            joined.extend_from_slice(&frame.raw);
        }
        // The last event may have had its terminator added, or be nothing but line ends and left out.
        let common = stream.len().min(joined.len());
        prop_assert_eq!(&joined[..common], &stream[..common]);
        prop_assert!(joined[common..].iter().chain(&stream[common..]).all(u8::is_ascii_whitespace));
    }

    #[test]
    fn a_frame_over_the_limit_is_refused(chunks in prop::collection::vec(nearly(), 0..6)) {
        let mut framer = SseFramer::with_limit(16);
        'chunks: for chunk in chunks {
            framer.push(Bytes::from(chunk));
            loop {
                match framer.next() {
                    Ok(Some(frame)) => prop_assert!(frame.raw.len() <= 16),
                    Ok(None) => break,
                    Err(_) => break 'chunks,
                }
            }
        }
    }
}
