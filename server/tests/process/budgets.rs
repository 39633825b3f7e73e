//! kill -9, again and again, under a budget: nothing that was spent is forgotten, and nothing stays held.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::Response;
use serde_json::{Value, json};

use crate::process::{Gateway, command, folder};

const KILLS: u64 = 50;
const CLIENTS: u64 = 4;
/// Of each answer, tokens; and of the longest that there might be.
const TOKENS: u64 = 10;
const MOST_TOKENS: u64 = 30;
/// Billionths of a dollar for a token.
const TOKEN: u64 = 7;
const LIMIT: u64 = 2_000 * TOKENS * TOKEN;

/// Answers every request after a moment, and counts them.
#[derive(Default)]
struct Upstream {
    received: AtomicU64,
}

impl Upstream {
    fn start(self: &Arc<Self>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = Arc::clone(self);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let upstream = Arc::clone(&upstream);
                thread::spawn(move || upstream.serve(stream));
            }
        });
        address
    }

    /// Until the gateway is gone.
    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut writer = stream.try_clone().ok()?;
        let mut reader = BufReader::new(stream);
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                let line = line.trim().to_ascii_lowercase();
                if line.is_empty() {
                    break;
                }
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().ok()?;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let number = self.received.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_micros(number * 7919 % 4_000));
            let answer = json!({
                "id": "c", "object": "chat.completion", "created": 1, "model": "m",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 5, "completion_tokens": TOKENS, "total_tokens": 5 + TOKENS},
            })
            .to_string();
            write!(
                writer,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}",
                answer.len()
            )
            .ok()?;
        }
    }
}

fn config(upstream: SocketAddr) -> String {
    let (limit, price) = (LIMIT as f64 / 1e9, TOKEN as f64 / 1e3);
    format!(
        r#"
[[providers]]
name = "up"
kind = "openai-compatible"
base_url = "http://{upstream}/v1"
api_key = "x"
default = true
health = {{ enabled = false }}
[[prices]]
model = "m"
input = 0
output = {price}
[[budgets]]
name = "team"
dollars = {limit:.9}
period = "total"
"#
    )
}

/// Asks until the gateway is gone; says how many answers came whole.
fn ask(url: &str, stop: &AtomicBool) -> u64 {
    let client = reqwest::blocking::Client::builder()
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    let body = json!({
        "model": "m", "max_tokens": MOST_TOKENS, "messages": [{"role": "user", "content": "Hello"}],
    })
    .to_string();
    let mut answered = 0;
    while !stop.load(Ordering::SeqCst) {
        let request = client.post(format!("{url}/v1/chat/completions"));
        let Ok(answer) = request.body(body.clone()).send() else {
            break;
        };
        let status = answer.status();
        let Ok(text) = answer.text() else { break };
        if status == 200 {
            answered += 1;
        } else {
            assert!(
                status == 429 && text.contains("budget_exceeded"),
                "{status}: {text}"
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
    answered
}

fn state(gateway: &Gateway) -> Value {
    let url = format!("{}/api/v1/budgets/states", gateway.admin_url);
    let request = gateway.client.get(url).bearer_auth("the-admin-token");
    let states: Value = request.send().and_then(Response::json).unwrap();
    let list = states.as_array().or_else(|| states["items"].as_array());
    list.unwrap_or_else(|| panic!("{states}"))[0].clone()
}

#[test]
fn fifty_kills_lose_nothing_and_hold_nothing() {
    let folder = folder();
    let upstream = Arc::new(Upstream::default());
    let address = upstream.start();
    std::fs::write(folder.path().join("gateway.toml"), config(address)).unwrap();
    let run = || Gateway::run(command(folder.path(), "exec \"$@\" gateway.toml"));
    let began = Instant::now();
    let mut answered = 0;
    for kill in 0..KILLS {
        let mut gateway = run();
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (url, stop) = (gateway.url.clone(), Arc::clone(&stop));
                thread::spawn(move || ask(&url, &stop))
            })
            .collect();
        thread::sleep(Duration::from_millis(20 + kill * 7919 % 180));
        gateway.signal("KILL");
        gateway.wait();
        stop.store(true, Ordering::SeqCst);
        answered += clients
            .into_iter()
            .map(|one| one.join().unwrap())
            .sum::<u64>();
    }
    let received = upstream.received.load(Ordering::SeqCst);
    let mut gateway = run();
    let state = state(&gateway);
    let number = |name: &str| state[name].as_u64().unwrap_or_else(|| panic!("{state}"));
    let (spent, uncertain) = (number("spent_nanos"), number("uncertain_nanos"));
    let settled = spent - uncertain;
    eprintln!(
        "{KILLS} kills in {:?}: {answered} answers, {received} calls, {settled} settled, {uncertain} uncertain of {LIMIT}",
        began.elapsed()
    );
    assert!(answered > 0);
    assert_eq!(number("reserved_nanos"), 0, "nothing stays held");
    assert!(spent <= LIMIT, "nothing is overspent");
    // What ended was settled for exactly what it cost, what did not for the most that it may have.
    let (each, most) = (TOKENS * TOKEN, MOST_TOKENS * TOKEN);
    assert_eq!((settled % each, uncertain % most), (0, 0));
    let (ended, cut_off) = (settled / each, uncertain / most);
    assert!(
        (answered..=received).contains(&ended),
        "{answered} <= {ended} <= {received}"
    );
    assert!(
        ended + cut_off >= received,
        "{ended} + {cut_off} >= {received}"
    );
    assert!(cut_off <= KILLS * CLIENTS, "{cut_off}");
    assert_eq!(number("requests_used"), ended + cut_off);
    gateway.signal("TERM");
    assert!(gateway.wait().success());
    assert!(!folder.path().join("gateway.db.ledger").exists());
}
