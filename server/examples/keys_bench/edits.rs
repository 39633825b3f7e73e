//! Edits beside 10,000 keys, on a runtime of one thread: how long each takes, and for how long nothing else went on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::Utc;
use server::app::App;
use server::auth::NewSecret;
use server::config::Config;
use server::in_force::InForce;
use server::store::{Change, ChangedSecrets, Store, What};
use shared::policies::{ClientKey, Edit, Policy, PolicyKind};
use tokio::time::{Instant, sleep};

const KEYS: usize = 10_000;
/// Edits of each kind.
const EDITS: usize = 20;
const TICK: Duration = Duration::from_millis(1);

pub fn edits() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = std::env::temp_dir().join(format!("keys_bench-{}", std::process::id()));
    runtime.block_on(async {
        let config = super::config(KEYS, &["gpt-*"]);
        beside("the configuration's", config, &folder.join("configured")).await;
        let folder = folder.join("made");
        let config = super::config(0, &[]);
        make(&config_in(config.clone(), &folder)).await;
        beside("operators'", config, &folder).await;
    });
    drop(runtime);
    std::fs::remove_dir_all(&folder).expect("the folder was made above");
}

fn config_in(mut config: Config, folder: &Path) -> Config {
    config.server.port = 0;
    config.admin.port = 0;
    config.database.url = format!("sqlite:{}", folder.join("gateway.db").display());
    for provider in &mut config.providers {
        "simulated".clone_into(&mut provider.kind);
        provider.health.enabled = Some(false);
    }
    config
}

/// Has the keys made by operators, all at once.
async fn make(config: &Config) {
    let store = Store::open(&config.database.url).await;
    let store = store.expect("a temporary file");
    let now = Utc::now();
    let key = Policy::Key(ClientKey {
        enabled: true,
        models: vec!["gpt-*".to_owned()],
        ..ClientKey::default()
    });
    let names = || (0..KEYS).map(|n| format!("key-{n}"));
    let changes: Vec<Change> = names()
        .map(|name| Change {
            kind: PolicyKind::Key.as_str().to_owned(),
            name,
            version: 1,
            what: What::Put(key.to_json()),
            reason: None,
            by: "bench".to_owned(),
            at: now,
        })
        .collect();
    let secrets = names().map(|name| {
        let secret = NewSecret::generate().kept(&name, now);
        (name, vec![secret])
    });
    let secrets = ChangedSecrets {
        keys: secrets.collect(),
        ..ChangedSecrets::default()
    };
    let made = store.add_changes(&changes, &secrets).await;
    made.expect("the keys are kept");
}

async fn beside(whose: &str, config: Config, folder: &Path) {
    let config = config_in(config, folder);
    let app = Box::pin(App::start(&config)).await;
    let app = app.expect("the gateway starts");
    let edits = &*app.in_force;
    println!("{KEYS} keys, {whose}, a runtime of one thread:");
    let name = |n: usize| format!("new-{n}");
    let edit = &Edit {
        by: "bench".to_owned(),
        ..Edit::default()
    };
    let key = || ClientKey {
        enabled: true,
        ..ClientKey::default()
    };
    measured("create", EDITS, async |n| {
        let made = edits.create_key(&name(n), key(), edit).await;
        made.expect("there is no such key");
    })
    .await;
    measured("rotate", EDITS, async |n| {
        let rotated = edits.rotate_key(&name(n), 60, edit).await;
        rotated.expect("the key was made above");
    })
    .await;
    measured("change", EDITS, async |n| {
        let policy = Policy::Key(ClientKey {
            owner: Some("somebody".to_owned()),
            ..key()
        });
        let changed = edits.put(&name(n), policy, edit).await;
        changed.expect("the key was made above");
    })
    .await;
    measured("delete", EDITS, async |n| {
        let deleted = edits.delete(PolicyKind::Key, &name(n), edit).await;
        deleted.expect("the key was made above");
    })
    .await;
    measured("none such", EDITS, async |_| {
        let none = edits.put("none", Policy::Key(key()), edit).await;
        none.expect_err("there is no such key");
    })
    .await;
    measured("logging", EDITS, async |n| change_log(edits, n, edit).await).await;
    measured("list", EDITS, async |_| {
        let all = edits.policies(PolicyKind::Key).await;
        assert!(all.len() >= KEYS);
    })
    .await;
    app.stop().await;
}

/// A policy that is checked together with all others.
async fn change_log(edits: &InForce, n: usize, edit: &Edit) {
    let change = shared::policies::LoggingChange {
        level: Some(["warn", "error"][n % 2].to_owned()),
        format: None,
    };
    let changed = edits.change_logging(change, edit).await;
    changed.expect("there are such levels");
}

async fn measured(what: &str, times: usize, each: impl AsyncFn(usize)) {
    // What the step before left behind is none of this one's business.
    sleep(Duration::from_millis(300)).await;
    let longest = Arc::new(AtomicU64::new(0));
    let noted = Arc::clone(&longest);
    let ticking = tokio::spawn(async move {
        loop {
            let began = Instant::now();
            sleep(TICK).await;
            let late = began.elapsed().saturating_sub(TICK);
            noted.fetch_max(late.as_micros() as u64, Ordering::Relaxed);
        }
    });
    // It has to tick before it can be late.
    sleep(10 * TICK).await;
    let began = Instant::now();
    for n in 0..times {
        each(n).await;
    }
    let all = began.elapsed();
    // The last one's delay is noticed after it.
    sleep(Duration::from_millis(300)).await;
    ticking.abort();
    println!(
        "  {what:<10} {:>8.2} ms each, the thread away for at most {:>8.2} ms",
        all.as_secs_f64() * 1e3 / times as f64,
        longest.load(Ordering::Relaxed) as f64 / 1e3,
    );
}
