//! Who is let in, with the time in the tests' hands.

use chrono::TimeDelta;

use super::*;
use crate::auth::NewSecret;

const SECRET: &str = "sk-the-secret-of-team-a";

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

fn config(settings: ClientKey) -> Config {
    Config {
        keys: vec![Key {
            name: "team-a".to_owned(),
            key: Some(Secret::new(SECRET)),
            settings: ClientKey {
                enabled: true,
                ..settings
            },
        }],
        ..Config::default()
    }
}

fn table(config: &Config, secrets: impl IntoIterator<Item = KeySecret>) -> KeyTable {
    KeyTable::new(config, Arc::new(secrets.into_iter().collect()))
}

/// The configuration's own secret, as it is kept when another one takes its place.
fn replaced(until: DateTime<Utc>) -> KeySecret {
    KeySecret {
        key: "team-a".to_owned(),
        sha256: digest(SECRET),
        prefix: shown(SECRET),
        created_at: None,
        expires_at: Some(until),
    }
}

fn refused(table: &KeyTable, credential: &str, at: DateTime<Utc>) -> ApiError {
    table.authenticate(Some(credential), at).unwrap_err()
}

#[test]
fn an_open_gateway_asks_for_nothing() {
    let table = table(&Config::default(), []);
    assert!(table.is_open());
    for credential in [None, Some("whatever")] {
        assert!(table.authenticate(credential, now()).unwrap().key.is_none());
    }
    assert_eq!(table.counts().of(AuthResult::Ok), 0);
}

#[test]
fn a_key_that_nobody_can_use_keeps_the_gateway_closed() {
    let mut config = config(ClientKey::default());
    config.keys[0].key = None;
    let table = table(&config, []);
    assert!(!table.is_open());
    assert!(table.authenticate(None, now()).is_err());
}

#[test]
fn refusals_do_not_repeat_the_key() {
    let mut config = config(ClientKey::default());
    config.keys[0].settings.enabled = false;
    let table = table(&config, []);
    for credential in [
        None,
        Some(SECRET),
        Some("sk-a-wrong-key-12345678"),
        Some("short"),
        Some("gw-short"),
        Some("gw-0123456789012345678901234567890123456789"),
    ] {
        let error = table.authenticate(credential, now()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Authentication);
        assert_eq!(error.code.as_deref(), Some("invalid_api_key"));
        assert!(!error.message.contains(credential.unwrap_or("\0")));
    }
    let counts = AuthResult::ALL.map(|result| table.counts().of(result));
    assert_eq!(counts, [0, 1, 4, 1, 0, 0]);
}

#[test]
fn a_key_is_taken_until_it_expires() {
    let end = now() + seconds(60);
    let table = table(
        &config(ClientKey {
            expires_at: Some(end),
            ..ClientKey::default()
        }),
        [],
    );
    for (at, taken) in [
        (now(), true),
        (end - seconds(1), true),
        (end, false),
        (end + seconds(1), false),
    ] {
        let caller = table.authenticate(Some(SECRET), at);
        assert_eq!(caller.is_ok(), taken, "{at}");
    }
    assert_eq!(refused(&table, SECRET, end).message, EXPIRED);
    assert_eq!(table.counts().of(AuthResult::Expired), 3);
}

#[test]
fn both_secrets_are_taken_while_one_replaces_the_other() {
    let grace = now() + seconds(3600);
    let new = NewSecret::generate();
    let table = table(
        &config(ClientKey::default()),
        [replaced(grace), new.kept("team-a", now())],
    );
    let new = new.into_text();
    for (secret, at, taken) in [
        (SECRET, now(), true),
        (&*new, now(), true),
        (SECRET, grace, false),
        (&*new, grace, true),
    ] {
        let caller = table.authenticate(Some(secret), at);
        assert_eq!(caller.is_ok(), taken, "{at}");
        if let Ok(caller) = caller {
            assert_eq!(caller.key_name().map(|name| &**name), Some("team-a"));
        }
    }
    assert_eq!(refused(&table, SECRET, grace).message, REPLACED);
}

#[test]
fn another_secret_in_the_configuration_is_taken_at_once() {
    let mut config = config(ClientKey::default());
    config.keys[0].key = Some(Secret::new("sk-the-next-secret-of-team-a"));
    let table = table(&config, [replaced(now())]);
    let next = table.authenticate(Some("sk-the-next-secret-of-team-a"), now());
    assert!(next.is_ok());
    assert!(table.authenticate(Some(SECRET), now()).is_err());
}

#[test]
fn secrets_of_a_key_that_is_gone_are_worth_nothing() {
    let secret = NewSecret::generate();
    let kept = secret.kept("another", now());
    let table = table(&config(ClientKey::default()), [kept]);
    let error = refused(&table, &secret.into_text(), now());
    assert_eq!(table.counts().of(AuthResult::Unknown), 1, "{error}");
}

#[test]
fn a_project_speaks_for_its_keys() {
    let mut config = config(ClientKey {
        project: Some("p".to_owned()),
        ..ClientKey::default()
    });
    let gone = table(&config, []);
    assert_eq!(refused(&gone, SECRET, now()).message, PROJECT_GONE);
    let project = Project {
        enabled: true,
        ..Project::default()
    };
    config.projects.insert("p".to_owned(), project);
    let there = gone.rebuilt(&config, Arc::default());
    let caller = there.authenticate(Some(SECRET), now()).unwrap();
    assert_eq!(caller.project().map(|name| &**name), Some("p"));
    config.projects.get_mut("p").unwrap().enabled = false;
    let off = there.rebuilt(&config, Arc::default());
    assert_eq!(refused(&off, SECRET, now()).message, PROJECT_DISABLED);
    assert_eq!(off.counts().of(AuthResult::Disabled), 2, "counts go on");
}

#[test]
fn prefixes_tell_which_secrets_there_are() {
    let new = NewSecret::generate();
    let config = config(ClientKey::default());
    let table = table(&config, [replaced(now()), new.kept("team-a", now())]);
    let configured = config.keys[0].key.as_ref();
    let prefixes = table.secrets().prefixes("team-a", configured);
    let new = new.into_text();
    assert_eq!(prefixes[0].prefix, format!("{}…", &new[..7]));
    assert_eq!(prefixes[0].expires_at, None);
    assert_eq!(prefixes[1].prefix, "sk-the-…");
    assert_eq!(prefixes[1].created_at, None);
    assert_eq!(prefixes[1].expires_at, Some(now()));
    assert_eq!(prefixes.len(), 2);
}
