//! What a file can say, in both formats.

use std::time::Duration;

use llm::pricing::Unit;
use llm::simulated::Fault;
use server::config::{
    ByteSize, Config, DEFAULT_PROMPT, Loaded, LogFormat, PartialTimeouts, Strategy,
};

use crate::setting::{Setting, toml, yaml};

pub const TOML: &str = r#"
[server]
host = "127.0.0.2"
port = 9000
max_body_size = "64MiB"
max_concurrent_requests = 500
drain_timeout = "5s"
trusted_proxies = ["10.0.0.0/8", "192.168.1.1"]
[server.timeouts]
connect = "1s"
total = "1h30m"

[admin]
host = "::1"
port = 9001
token = "adm"
session_ttl = "1d"

[database]
url = "sqlite://var/x.db"

[recording]
flush_interval = 0
queue_size = 0x400
spool_max_size = 1_048_576
retention_days = 0
minute_retention_days = 7
hour_retention_days = 365

[logging]
level = "info,server::store=debug"
format = "json"

[system_prompt]
text = """
Be kind.
"Always."
"""

[[providers]]
name = "one"
kind = "openai-compatible"
base_url = "http://localhost:9/v1/"
api_key = "k1"
model = "m1"
default = true
headers = { x-org = "acme", "X-Team" = "a" }
[providers.timeouts]
first_byte = "10s"

[[providers]]
name = "sim"
kind = "simulated"
enabled = false
simulated = { first_token_ms = 20, between_chunks_ms = 5, fault = "stall" }

[[models]]
name = "gpt-*"
strategy = "priority"
max_attempts = 2
targets = [{ provider = "one", model = "m2", weight = 3 }, { provider = "sim" }]

[[keys]]
name = "team-a"
key = "secret-a"

[[keys]]
name = "team-b"
key = "secret-b"
enabled = false

[[prices]]
provider = "one"
model = "m2"
input = 2.50
cached_input = 0.075
output = 10

[[unit_prices]]
provider = "one"
model = "pictures"
unit = "image"
each = 0.04
"#;

const YAML: &str = r#"
server:
  host: 127.0.0.2
  port: 9000
  max_body_size: 64MiB
  max_concurrent_requests: 500
  drain_timeout: 5s
  trusted_proxies:
    - 10.0.0.0/8
    - 192.168.1.1
  timeouts: { connect: 1s, total: 1h30m }
admin:
  host: "::1"
  port: 9001
  token: adm
  session_ttl: 1d
database:
  url: sqlite://var/x.db
recording:
  flush_interval: 0
  queue_size: 0x400
  spool_max_size: 1048576
  retention_days: 0
  minute_retention_days: 7
  hour_retention_days: 365
logging:
  level: info,server::store=debug
  format: json
system_prompt:
  text: |
    Be kind.
    "Always."
providers:
  - name: one
    kind: openai-compatible
    base_url: http://localhost:9/v1/
    api_key: k1
    model: m1
    enabled: ~
    default: true
    headers:
      x-org: acme
      X-Team: a
    timeouts:
      first_byte: 10s
  - name: sim
    kind: simulated
    enabled: false
    simulated: { first_token_ms: 20, between_chunks_ms: 5, fault: stall }
models:
  - name: gpt-*
    strategy: priority
    max_attempts: 2
    targets:
      - { provider: one, model: m2, weight: 3 }
      - provider: sim
keys:
  - name: team-a
    key: secret-a
  - name: team-b
    key: secret-b
    enabled: false
prices:
  - provider: one
    model: m2
    input: 2.50
    cached_input: 0.075
    output: 10
unit_prices:
  - provider: one
    model: pictures
    unit: image
    each: 0.04
"#;

#[test]
fn every_key_arrives() {
    let Loaded {
        config, warnings, ..
    } = toml(TOML).expect("valid");
    assert_eq!(warnings, []);
    let Config {
        server,
        admin,
        grpc,
        secret: _,
        database,
        recording,
        logging,
        alerts: _,
        providers,
        routes,
        models,
        keys,
        prices,
        unit_prices,
        projects: _,
        limits: _,
        budgets: _,
        guardrails: _,
        system_prompts,
        cache: _,
        egress,
        payloads: _,
    } = config;
    assert!(egress.is_empty());
    assert_eq!(routes, []);
    assert_eq!(
        (server.host.to_string(), server.port),
        ("127.0.0.2".to_owned(), 9000)
    );
    assert_eq!(server.max_body_size, ByteSize::mebibytes(64));
    assert_eq!(server.max_concurrent_requests, 500);
    assert_eq!(server.drain_timeout, Duration::from_secs(5));
    let proxies: Vec<String> = server
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(proxies, ["10.0.0.0/8", "192.168.1.1/32"]);
    assert_eq!(server.timeouts.connect, Duration::from_secs(1));
    assert_eq!(server.timeouts.first_byte, Duration::from_secs(120));
    assert_eq!(server.timeouts.total, Duration::from_secs(5400));

    assert_eq!(
        (admin.host.to_string(), admin.port),
        ("::1".to_owned(), 9001)
    );
    assert_eq!(
        admin.token.as_ref().map(|token| token.expose()),
        Some("adm")
    );
    assert_eq!(admin.session_ttl, Duration::from_secs(86_400));
    assert_eq!(grpc.port, 8082);
    assert_eq!(database.url, "sqlite://var/x.db");

    assert_eq!(recording.flush_interval, Duration::ZERO);
    assert_eq!(recording.queue_size, 1024);
    assert_eq!(recording.spool_max_size, ByteSize::mebibytes(1));
    let days = (
        recording.retention_days,
        recording.minute_retention_days,
        recording.hour_retention_days,
    );
    assert_eq!(days, (0, 7, 365));
    assert_eq!(logging.level, "info,server::store=debug");
    assert_eq!(logging.format, LogFormat::Json);
    assert_eq!(
        system_prompts[DEFAULT_PROMPT].text,
        "Be kind.\n\"Always.\"\n"
    );

    assert_eq!(providers.len(), 2);
    let one = &providers[0];
    assert_eq!(
        (one.name.as_str(), one.kind.as_str()),
        ("one", "openai-compatible")
    );
    assert_eq!(one.base_url.as_deref(), Some("http://localhost:9/v1"));
    assert_eq!(one.api_key.as_ref().map(|key| key.expose()), Some("k1"));
    assert_eq!(one.model.as_deref(), Some("m1"));
    assert!(one.enabled && one.default);
    let headers: Vec<(&str, &str)> = one
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect();
    assert_eq!(headers, [("X-Team", "a"), ("x-org", "acme")]);
    let own = PartialTimeouts {
        first_byte: Some(Duration::from_secs(10)),
        ..PartialTimeouts::default()
    };
    assert_eq!(one.timeouts, own);
    assert_eq!(own.over(&server.timeouts).connect, Duration::from_secs(1));
    assert_eq!(
        own.over(&server.timeouts).first_byte,
        Duration::from_secs(10)
    );
    let sim = &providers[1];
    assert!(!sim.enabled && !sim.default);
    assert_eq!(
        (
            sim.simulated.first_token_ms,
            sim.simulated.between_chunks_ms
        ),
        (20, 5)
    );
    assert_eq!(sim.simulated.fault, Fault::Stall);

    assert_eq!(models.len(), 1);
    assert_eq!(
        (models[0].name.as_str(), models[0].strategy),
        ("gpt-*", Strategy::Priority)
    );
    assert_eq!(models[0].max_attempts, Some(2));
    let targets: Vec<(&str, Option<&str>, u32)> = models[0]
        .targets
        .iter()
        .map(|target| {
            (
                target.provider.as_str(),
                target.model.as_deref(),
                target.weight,
            )
        })
        .collect();
    assert_eq!(targets, [("one", Some("m2"), 3), ("sim", None, 1)]);

    let keys: Vec<(&str, &str, bool)> = keys
        .iter()
        .map(|key| (key.name.as_str(), secret(key), key.settings.enabled))
        .collect();
    assert_eq!(
        keys,
        [("team-a", "secret-a", true), ("team-b", "secret-b", false)]
    );

    let [price] = prices.as_slice() else {
        panic!("one price")
    };
    assert_eq!(
        (price.provider.as_deref(), price.model.as_str()),
        (Some("one"), "m2")
    );
    assert_eq!(price.input.nanos_per_million, 2_500_000_000);
    assert_eq!(
        price.cached_input.map(|p| p.nanos_per_million),
        Some(75_000_000)
    );
    assert_eq!(price.cache_write, None);
    assert_eq!(price.output.nanos_per_million, 10_000_000_000);

    let [price] = unit_prices.as_slice() else {
        panic!("one price by the unit")
    };
    assert_eq!(
        (price.provider.as_deref(), price.model.as_str()),
        (Some("one"), "pictures")
    );
    assert_eq!((price.unit, price.each.nanos), (Unit::Image, 40_000_000));
}

#[test]
fn yaml_says_the_same() {
    assert_eq!(
        yaml(YAML).expect("valid").config,
        toml(TOML).expect("valid").config
    );
}

#[test]
fn variables_fill_in() {
    let text = "[server]\nport = \"${PORT}\"\n[admin]\ntoken = \"${TOKEN:-}\"\n[[providers]]\nname = \"a\"\nkind = \
                \"openai\"\n# api_key = \"${COMMENTED_OUT}\"\nenabled = \"${ON:-true}\"\nheaders = { x-a = \"${A}-$${B}\" }\n";
    let loaded = Setting::new()
        .file("a.toml", text)
        .variable("PORT", "7000")
        .variable("A", "ae")
        .named("a.toml")
        .expect("valid");
    assert_eq!(loaded.config.server.port, 7000);
    assert_eq!(loaded.config.admin.token, None);
    assert!(loaded.config.providers[0].enabled);
    assert_eq!(
        loaded.config.providers[0].headers["x-a"].expose(),
        "ae-${B}"
    );

    let text = "server:\n  port: ${PORT:-7001} # ${COMMENTED_OUT}\n";
    assert_eq!(yaml(text).expect("valid").config.server.port, 7001);
}

#[test]
fn an_empty_text_is_as_if_left_out() {
    let text = "[server]\nport = \"\"\n[admin]\ntoken = \"\"\n[[providers]]\nname = \"a\"\nkind = \"openai\"\nbase_url = \
                \"\"\n";
    let config = toml(text).expect("valid").config;
    assert_eq!(config.server.port, 8080);
    assert_eq!(config.admin.token, None);
    assert_eq!(config.providers[0].base_url, None);
}

#[test]
fn line_endings_and_byte_order_marks_do_not_matter() {
    let text =
        "\u{feff}[server]\r\nport = 1\r\n[[providers]]\r\nname = \"a\"\r\nkind = \"openai\"\r\n";
    assert_eq!(toml(text).expect("valid").config.server.port, 1);
    let text = "\u{feff}server:\r\n  port: 1\r\n";
    assert_eq!(yaml(text).expect("valid").config.server.port, 1);
}

fn secret(key: &server::config::Key) -> &str {
    key.key.as_ref().unwrap().expose()
}
