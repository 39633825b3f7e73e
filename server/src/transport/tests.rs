//! Names whose owner gives another answer each time.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use llm::chat::Losses;
use llm::codec::{ReplyForm, WireRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::connect::Dialer;
use super::resolver::Resolver;
use super::{
    Destinations, Endpoint, HttpEndpoint, Origin, OwnAuthorities, Pool, Timeouts, Transport,
    TransportError,
};

/// Answers in turn, the last one for ever.
#[derive(Debug)]
struct Changing {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl Resolver for Changing {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        assert_eq!(host, "rebound.example.com");
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            1 => answers[0].clone(),
            _ => answers.remove(0),
        };
        Ok(answer
            .into_iter()
            .map(|ip| SocketAddr::new(ip, port))
            .collect())
    }
}

/// A server on all of this machine's addresses, an upstream whose name resolves as `answers` say, and how often the one
/// was connected to and the other asked for.
struct World {
    transport: Transport,
    endpoint: Endpoint,
    connections: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
}

impl World {
    async fn with(answers: &[&[&str]], allowed: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
                let _ = stream.write_all(reply).await;
            }
        });
        let parsed = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        let asked = Arc::new(AtomicUsize::new(0));
        let resolver = Changing {
            answers: Mutex::new(answers.iter().map(parsed).collect()),
            asked: Arc::clone(&asked),
        };
        let allowed: Vec<_> = allowed.iter().map(|net| net.parse().unwrap()).collect();
        let url = format!("http://rebound.example.com:{port}");
        Self {
            transport: Transport {
                pool: Arc::new(Pool::new(OwnAuthorities::default())),
                dialer: Arc::new(Dialer {
                    destinations: Destinations::allowing(&allowed),
                    resolver: Box::new(resolver),
                }),
            },
            endpoint: Endpoint::Http(HttpEndpoint {
                origin: Origin::of(&url.parse().unwrap()).unwrap(),
                base_path: String::new(),
                headers: HeaderMap::new(),
            }),
            connections,
            asked,
        }
    }

    async fn ask(&self) -> Result<(), TransportError> {
        let request = WireRequest {
            method: http::Method::POST,
            path: "/v1".to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"{}").into(),
            losses: Losses::default(),
            form: ReplyForm::default(),
        };
        let timeouts = Timeouts {
            connect: Duration::from_secs(2),
            ..Timeouts::default()
        };
        let give_up = Instant::now() + Duration::from_secs(5);
        let sent = self
            .transport
            .send(&self.endpoint, request, &timeouts, give_up);
        sent.await.map(drop)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Not tried at all, which is something else than tried in vain.
#[track_caller]
fn assert_refused(result: Result<(), TransportError>) {
    match result {
        Err(TransportError::Connect(error)) => {
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_since_is_looked_at_again() {
    // Linux takes 0.0.0.0 for this machine: the server would see a connection there.
    for elsewhere in [
        "0.0.0.0",
        "::ffff:0.0.0.0",
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fd00:ec2::254",
    ] {
        let world = World::with(&[&["127.0.0.1"], &[elsewhere]], &[]).await;
        world.ask().await.unwrap();
        for _ in 0..3 {
            assert_refused(world.ask().await);
        }
        assert_eq!(world.connections(), 1, "{elsewhere}");
        // Each time anew: no answer of before stands for one of now.
        assert_eq!(world.asked.load(Ordering::Relaxed), 4);
    }
}

#[tokio::test]
async fn of_several_addresses_those_that_are_fine_are_tried() {
    let mixed: &[&str] = &["169.254.169.254", "127.0.0.1", "0.0.0.0"];
    let world = World::with(&[mixed], &[]).await;
    let before = Instant::now();
    world.ask().await.unwrap();
    // Whoever tries the first one waits a while before the next.
    assert!(before.elapsed() < Duration::from_millis(200));
    assert_eq!(world.connections(), 1);
    let world = World::with(&[&["0.0.0.0", "169.254.169.254"]], &[]).await;
    assert_refused(world.ask().await);
    assert_eq!(world.connections(), 0);
}

#[tokio::test]
async fn what_an_operator_allows_is_reached() {
    let world = World::with(&[&["127.0.0.1"], &["0.0.0.0"]], &["0.0.0.0/32"]).await;
    world.ask().await.unwrap();
    world.ask().await.unwrap();
    assert_eq!(world.connections(), 2);
}
