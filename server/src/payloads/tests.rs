//! Logging from a capture to the file and back.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use llm::chat::{Block, StreamEvent};
use serde_json::{Value, json};
use shared::policies::{PayloadOverride, PayloadSettings, PiiKind, Selector};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::config::{Config, Key, Secret};
use crate::selection::Subject;
use crate::store::{PayloadStore, PayloadToStore};

const KEY: &str = "a-key-of-no-known-shape";

struct Logging {
    folder: TempDir,
    log: PayloadLog,
    payloads: Payloads,
}

impl Logging {
    fn start(settings: PayloadSettings) -> Self {
        let config = Config {
            keys: vec![Key {
                name: "k".to_owned(),
                key: Some(Secret::new(KEY)),
                settings: Default::default(),
            }],
            payloads: PayloadSettings {
                enabled: true,
                ..settings
            },
            ..Config::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let log = PayloadLog::start(folder.path().join("p"));
        let payloads = Payloads::new(&config);
        log.set(payloads.settings());
        Self {
            folder,
            log,
            payloads,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("p")
    }

    fn capture(&self, request: &str) -> Capture {
        let rules = self.payloads.wants(Subject::default(), Uuid::nil());
        let request = Bytes::copy_from_slice(request.as_bytes());
        Capture::new(self.log.clone(), rules.unwrap(), &request)
    }

    fn log(&self, request: &str, reply: &str) -> Uuid {
        let mut capture = self.capture(request);
        capture.replied(reply.as_bytes());
        let id = Uuid::now_v7();
        capture.end(id, Utc::now().timestamp_micros());
        id
    }

    async fn found(&self, id: Uuid) -> crate::store::StoredPayload {
        self.log.flush().await;
        self.log.find(id).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn what_went_in_comes_out() {
    let logging = Logging::start(PayloadSettings::default());
    let bodies = [
        r#"{"model":"m", "messages": [ {"a":[1]}, {"b":"]"} ,3], "stream":true}"#,
        r#"{"input":["ä","ß"],"model":"m"}"#,
        "no JSON at all",
        "",
    ];
    for body in bodies {
        let id = logging.log(body, "{\"answer\": 42}");
        let found = logging.found(id).await;
        assert_eq!(found.request, body);
        assert_eq!(found.reply.as_deref(), Some("{\"answer\": 42}"));
        assert_eq!(found.request_bytes, body.len() as u64);
        assert!(!found.request_cut && !found.reply_cut && !found.streamed);
    }
    assert_eq!(logging.log.find(Uuid::now_v7()).await.unwrap(), None);
    assert_eq!(logging.log.counts(), (4, 0));
}

#[tokio::test]
async fn credentials_and_personal_data_are_masked() {
    let logging = Logging::start(PayloadSettings {
        redact: vec![PiiKind::Email],
        ..PayloadSettings::default()
    });
    let shaped = format!("sk-{}", "aB3dE6gH9jK2mN5pQ8sT");
    let body =
        json!({"messages": [{"content": format!("{KEY} {shaped} ada@example.com 192.0.2.7")}]});
    let id = logging.log(&body.to_string(), &format!("it is {shaped}."));
    let found = logging.found(id).await;
    for text in [&found.request, found.reply.as_ref().unwrap()] {
        for secret in [KEY, shaped.as_str(), "ada@example.com"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert!(found.request.contains("192.0.2.7"), "{}", found.request);
    let _: Value = serde_json::from_str(&found.request).unwrap();
    logging.log.shutdown().await;
    let file = std::fs::read(logging.path()).unwrap();
    let has = |secret: &str| memchr::memmem::find(&file, secret.as_bytes()).is_some();
    assert!(!has(KEY) && !has(&shaped) && !has("ada@example.com"));
}

#[tokio::test]
async fn a_stream_is_put_together_before_it_is_masked() {
    let logging = Logging::start(PayloadSettings::default());
    let mut capture = logging.capture("{}");
    capture.watch(&[StreamEvent::BlockStarted {
        choice: 0,
        index: 0,
        block: Block::Text,
    }]);
    // In pieces of which none is a secret.
    for piece in ["it is sk-aB3dE6", "gH9jK2mN5p", "Q8sT4vW7 there"] {
        capture.watch(&[StreamEvent::BlockDelta {
            choice: 0,
            index: 0,
            text: piece.into(),
        }]);
        capture.replied(b"data: something\n\n");
    }
    let id = Uuid::now_v7();
    capture.end(id, Utc::now().timestamp_micros());
    let found = logging.found(id).await;
    assert!(found.streamed);
    assert_eq!(found.reply_bytes, 51);
    let reply = found.reply.unwrap();
    assert!(
        reply.contains("it is [") && reply.contains("] there"),
        "{reply}"
    );
    assert!(!reply.contains("gH9jK2"), "{reply}");
}

#[tokio::test]
async fn what_is_too_long_is_cut_and_bytes_that_are_no_text_are_left_out() {
    let logging = Logging::start(PayloadSettings {
        max_entry_bytes: 10,
        ..PayloadSettings::default()
    });
    let id = logging.log("0123456789abc", "äääääää");
    let found = logging.found(id).await;
    assert_eq!(found.request, "0123456789");
    assert_eq!(found.reply.as_deref(), Some("äääää"));
    assert!(found.request_cut && found.reply_cut);
    assert_eq!((found.request_bytes, found.reply_bytes), (13, 14));
    let mut capture = logging.capture("{}");
    capture.replied(&[0xff, 0xfe, 0]);
    let id = Uuid::now_v7();
    capture.end(id, Utc::now().timestamp_micros());
    assert_eq!(logging.found(id).await.reply, None);
}

#[test]
fn requests_are_chosen_by_share_and_by_what_they_are() {
    let share = |share_millionths, overrides| {
        let config = Config {
            payloads: PayloadSettings {
                enabled: true,
                share_millionths,
                overrides,
                ..PayloadSettings::default()
            },
            ..Config::default()
        };
        Payloads::new(&config)
    };
    let ids: Vec<Uuid> = (0..2000).map(|_| Uuid::now_v7()).collect();
    let of = |payloads: &Payloads, key| {
        let subject = Subject {
            key,
            ..Subject::default()
        };
        let chosen = ids
            .iter()
            .filter(|id| payloads.wants(subject, **id).is_some());
        chosen.count()
    };
    assert_eq!(of(&share(0, vec![]), None), 0);
    assert_eq!(of(&share(1_000_000, vec![]), None), 2000);
    let some = of(&share(100_000, vec![]), None);
    assert!((100..300).contains(&some), "{some}");
    let one = PayloadOverride {
        applies_to: Selector {
            keys: vec!["k".to_owned()],
            ..Selector::default()
        },
        share_millionths: 1_000_000,
    };
    let only_one = share(0, vec![one]);
    assert_eq!(
        (of(&only_one, Some("k")), of(&only_one, Some("other"))),
        (2000, 0)
    );
    assert!(
        Payloads::new(&Config::default())
            .wants(Subject::default(), ids[0])
            .is_none()
    );
}

/// Words that no compression makes much of.
fn words(mut seed: u64, count: usize) -> String {
    let mut text = String::new();
    for _ in 0..count {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{:x} ", seed >> 40));
    }
    text
}

/// The issue's figure: the log of an agent's conversation of 1,000 turns takes at most a twentieth of the JSON that went
/// over the wire.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_conversation_takes_a_twentieth_of_its_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p");
    let store = PayloadStore::open(&path).await.unwrap();
    let tools =
        json!([{"type": "function", "function": {"name": "run", "description": words(1, 100)}}]);
    let mut messages = vec![json!({"role": "system", "content": words(2, 200)}).to_string()];
    let (mut raw, mut ids) = (0, Vec::new());
    for turn in 0..1000 {
        let said = json!({"role": "user", "content": words(turn * 3 + 10, 8)}).to_string();
        messages.push(said);
        let body = format!(
            r#"{{"model":"m","tools":{tools},"messages":[{}],"stream":false}}"#,
            messages.join(",")
        );
        let answer = json!({"role": "assistant", "content": words(turn * 3 + 11, 12)}).to_string();
        let reply = format!(r#"{{"id":"{turn}","choices":[{{"message":{answer}}}]}}"#);
        raw += body.len() + reply.len();
        let parts = split::split(&body);
        let payload = PayloadToStore {
            id: Uuid::now_v7(),
            at_us: Utc::now().timestamp_micros(),
            envelope: [parts.head, parts.tail].concat(),
            head: parts.head.len(),
            messages: parts
                .messages
                .iter()
                .map(|text| (*text).to_owned())
                .collect(),
            reply: Some(reply.clone()),
            ..PayloadToStore::default()
        };
        store.add(std::slice::from_ref(&payload)).await.unwrap();
        if turn % 333 == 0 || turn == 999 {
            ids.push((payload.id, body, reply));
        }
        messages.push(answer);
    }
    for (id, body, reply) in ids {
        let found = store.find(id).await.unwrap().unwrap();
        assert_eq!(found.request, body);
        assert_eq!(found.reply, Some(reply));
    }
    store.close().await;
    let file = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
    println!("{raw} bytes of JSON take {file}: 1/{}", raw / file);
    assert!(file * 20 <= raw, "{raw} bytes of JSON take {file}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_payloads_go_and_their_space_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p");
    let store = PayloadStore::open(&path).await.unwrap();
    let now = Utc::now();
    let payload = |n: u64, days: i64| {
        let at = now - TimeDelta::days(days) + TimeDelta::milliseconds(n.cast_signed());
        let seconds = u64::try_from(at.timestamp()).unwrap();
        let stamp =
            uuid::Timestamp::from_unix(uuid::NoContext, seconds, at.timestamp_subsec_nanos());
        PayloadToStore {
            id: Uuid::new_v7(stamp),
            at_us: at.timestamp_micros(),
            envelope: "{}".to_owned(),
            head: 1,
            messages: vec![words(1, 50), words(n, 2000)],
            reply: Some(words(n + 1_000_000, 20)),
            ..PayloadToStore::default()
        }
    };
    let old: Vec<_> = (0..300).map(|n| payload(n + 10, 20)).collect();
    let new: Vec<_> = (0..300).map(|n| payload(n + 1000, 1)).collect();
    store.add(&old).await.unwrap();
    store.add(&new).await.unwrap();
    let full = store.size().await.unwrap();
    store.tidy(14, u64::MAX, now).await.unwrap();
    assert_eq!(store.find(old[0].id).await.unwrap(), None);
    let found = store.find(new[0].id).await.unwrap().unwrap();
    assert_eq!(found.request, format!("{{{}}}", new[0].messages.concat()));
    let half = store.size().await.unwrap();
    assert!(half < full * 6 / 10, "{half} of {full}");
    // The oldest go first.
    store.tidy(0, half / 2, now).await.unwrap();
    let size = store.size().await.unwrap();
    assert!(size <= half / 2, "{size} of {half}");
    assert!(
        std::fs::metadata(&path).unwrap().len() <= half / 2,
        "given back to the disk"
    );
    assert!(store.find(new[299].id).await.unwrap().is_some());
    store.tidy(0, 0, now).await.unwrap();
    assert_eq!(store.find(new[299].id).await.unwrap(), None);
    let size = store.size().await.unwrap();
    assert!(size < 200_000, "what was shared is gone, too: {size}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_written_is_nobodys_trouble_but_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p");
    std::fs::create_dir(&path).unwrap();
    let logging = Logging {
        log: PayloadLog::start(path),
        folder,
        ..Logging::start(PayloadSettings::default())
    };
    logging.log("{}", "{}");
    tokio::time::timeout(Duration::from_secs(20), logging.log.flush())
        .await
        .unwrap();
    assert_eq!(logging.log.counts(), (0, 1));
    assert!(logging.log.status().await.trouble.is_some());
}

/// What comes faster than it can be written is dropped and counted: nobody waits.
#[tokio::test]
async fn what_the_queue_does_not_take_is_dropped_and_counted() {
    let logging = Logging::start(PayloadSettings::default());
    // On one thread the writer does not come to it before this awaits.
    for _ in 0..5000 {
        logging.log("{}", "{}");
    }
    logging.log.flush().await;
    let (stored, dropped) = logging.log.counts();
    assert_eq!(stored + dropped, 5000);
    assert!(dropped > 0);
}
