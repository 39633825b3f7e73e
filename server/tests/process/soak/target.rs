//! The simulated provider behind a real socket, with a fault that comes and goes.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use llm::simulated::{Fault, SimulatedReply, SimulatedSettings, Step};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

type Response = http::Response<UnsyncBoxBody<Bytes, io::Error>>;

/// Past the gateway's time limits.
const LATE: Duration = Duration::from_secs(5);

/// What can go wrong with a target, so that another one can still answer.
const FAULTS: [Fault; 15] = [
    Fault::Refuse,
    Fault::SlowHeaders,
    Fault::SlowFirstToken,
    Fault::StallBeforeHead,
    Fault::Stall,
    Fault::CutBeforeFirstEvent,
    Fault::Cut,
    Fault::Garbage,
    Fault::WrongContentType,
    Fault::ErrorInSuccess,
    Fault::RequestTimeout,
    Fault::RateLimit,
    Fault::RateLimitWithoutRetryAfter,
    Fault::ServerError,
    Fault::Overloaded,
];

/// An upstream. Lives as long as the runtime.
#[derive(Clone)]
pub struct Target(Arc<Shared>);

struct Shared {
    address: SocketAddr,
    fault: Mutex<Fault>,
    calls: AtomicU64,
    connections: AtomicUsize,
}

impl Target {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Self(Arc::new(Shared {
            address: listener.local_addr().unwrap(),
            fault: Mutex::new(Fault::None),
            calls: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
        }));
        let serving = target.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        target
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.0.address)
    }

    /// What `random` stands for: the target fails, or is well again.
    pub fn change(&self, random: u64) {
        let mut fault = self.0.fault.lock().unwrap();
        *fault = match *fault {
            Fault::None => FAULTS[random as usize % FAULTS.len()],
            _ => Fault::None,
        };
    }

    pub fn recover(&self) {
        *self.0.fault.lock().unwrap() = Fault::None;
    }

    /// Requests for an answer so far.
    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    /// Open connections.
    pub fn connections(&self) -> usize {
        self.0.connections.load(Ordering::Relaxed)
    }

    fn fault(&self) -> Fault {
        *self.0.fault.lock().unwrap()
    }

    async fn serve(self, stream: TcpStream) {
        if self.fault() == Fault::Refuse {
            return;
        }
        stream.set_nodelay(true).unwrap();
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        let answer = service_fn(|request| self.answer(request));
        // A cut is an error here too.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), answer)
            .await;
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }

    async fn answer(&self, request: http::Request<Incoming>) -> Result<Response, io::Error> {
        let path = request.uri().path().trim_start_matches("/v1").to_owned();
        let body = request
            .into_body()
            .collect()
            .await
            .map_err(io::Error::other)?;
        let body = body.to_bytes();
        let mut fault = self.fault();
        if path == "/chat/completions" {
            self.0.calls.fetch_add(1, Ordering::Relaxed);
            let asked: Value = serde_json::from_slice(&body).unwrap();
            if asked["stream"] == true && [Fault::Cut, Fault::Stall].contains(&fault) {
                // After its first event nobody else could answer.
                fault = Fault::CutBeforeFirstEvent;
            }
        }
        let settings = SimulatedSettings {
            fault,
            delay: LATE,
            ..SimulatedSettings::default()
        };
        let reply = llm::simulated::reply(&path, &body, &settings, 0);
        if reply.unconnected.is_some() {
            return Err(io::Error::other("refused"));
        }
        for step in &reply.before_head {
            match step {
                Step::Wait(wait) => tokio::time::sleep(*wait).await,
                Step::Stall => std::future::pending().await,
                _ => {}
            }
        }
        Ok(response(reply))
    }
}

fn response(reply: SimulatedReply) -> Response {
    let steps = stream::unfold(reply.steps.into_iter(), |mut steps| async move {
        loop {
            match steps.next()? {
                Step::Send(bytes) => return Some((Ok(Frame::data(bytes)), steps)),
                Step::Wait(wait) => tokio::time::sleep(wait).await,
                Step::Stall => std::future::pending().await,
                Step::Cut => return Some((Err(io::Error::other("cut")), steps)),
            }
        }
    });
    let mut response = http::Response::new(StreamBody::new(steps).boxed_unsync());
    *response.status_mut() = http::StatusCode::from_u16(reply.status).unwrap();
    *response.headers_mut() = reply.headers;
    response
}
