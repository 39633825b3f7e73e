//! Edits of policies: kept before they are acknowledged, in force on the next request, and taken back.

use server::app::App;
use server::config::{Config, DEFAULT_PROMPT};
use server::in_force::EditError;
use shared::policies::{
    ClientKey, Edit, Policy, PolicyKind, Rate, RateLimit, Selector, SystemPrompt,
};
use shared::routing::Source;
use sqlx::Executor;

use crate::test_app::{TestApp, key};

fn prompt(text: &str) -> SystemPrompt {
    SystemPrompt {
        enabled: true,
        text: text.to_owned(),
        ..SystemPrompt::default()
    }
}

fn by(who: &str) -> Edit {
    Edit {
        by: who.to_owned(),
        ..Edit::default()
    }
}

fn text(policy: &Policy) -> &str {
    match policy {
        Policy::SystemPrompt(prompt) => &prompt.text,
        other => panic!("{other:?}"),
    }
}

const PROMPT: PolicyKind = PolicyKind::SystemPrompt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_holds_instead_of_the_file_and_can_be_taken_back() {
    let mut config = Config::default();
    config
        .system_prompts
        .insert(DEFAULT_PROMPT.to_owned(), prompt("from the file"));
    let app = TestApp::start(config.clone()).await;
    let in_force = &app.app().in_force;

    let before = in_force.policy(PROMPT, DEFAULT_PROMPT).await.unwrap();
    assert_eq!((before.source, before.version), (Source::File, 0));

    let edited = Policy::SystemPrompt(prompt("edited"));
    let entry = in_force
        .put(DEFAULT_PROMPT, edited.clone(), &by("ada"))
        .await;
    let entry = entry.unwrap();
    assert_eq!((entry.source, entry.version), (Source::Edited, 1));
    assert_eq!(entry.changed_by.as_deref(), Some("ada"));
    assert_eq!(text(entry.in_file.as_ref().unwrap()), "from the file");
    // The same once more is no change.
    let again = in_force
        .put(DEFAULT_PROMPT, edited, &by("ada"))
        .await
        .unwrap();
    assert_eq!(again.version, 1);

    // Another file: the edit holds on.
    let mut other = config.clone();
    other
        .system_prompts
        .insert(DEFAULT_PROMPT.to_owned(), prompt("from another file"));
    in_force.take(other).await.unwrap();
    let entry = in_force.policy(PROMPT, DEFAULT_PROMPT).await.unwrap();
    assert_eq!(text(&entry.policy), "edited");
    assert_eq!(text(entry.in_file.as_ref().unwrap()), "from another file");

    in_force
        .delete(PROMPT, DEFAULT_PROMPT, &by("bob"))
        .await
        .unwrap();
    let entries = in_force.policies(PROMPT).await;
    assert_eq!(entries.len(), 1, "what the file has can be brought back");
    assert!(entries[0].deleted);

    let back = in_force
        .reset_policy(PROMPT, DEFAULT_PROMPT, &by("bob"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(text(&back.policy), "from another file");
    assert_eq!((back.source, back.version), (Source::File, 3));

    let versions = in_force.versions(PROMPT, DEFAULT_PROMPT).await.unwrap();
    let who: Vec<_> = versions
        .iter()
        .map(|version| (version.version, version.by.as_str(), version.reset))
        .collect();
    assert_eq!(
        who,
        [(3, "bob", true), (2, "bob", false), (1, "ada", false)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_outlive_a_restart() {
    let mut app = TestApp::start(Config::default()).await;
    let policy = Policy::SystemPrompt(prompt("kept"));
    let put = app.app().in_force.put("mine", policy, &by("ada")).await;
    put.unwrap();
    app.stop().await;
    let mut config = Config::default();
    (config.server.port, config.admin.port) = (0, 0);
    config.database.url = format!("sqlite:{}", app.database.display());
    let again = App::start(&config).await.unwrap();
    let entry = again.in_force.policy(PROMPT, "mine").await.unwrap();
    assert_eq!(text(&entry.policy), "kept");
    assert_eq!(entry.source, Source::Edited);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_overwrites_what_he_has_not_seen() {
    let app = TestApp::start(Config::default()).await;
    let in_force = &app.app().in_force;
    let put = |text: &str, edit: Edit| {
        let policy = Policy::SystemPrompt(prompt(text));
        async move { in_force.put("mine", policy, &edit).await }
    };
    let new = Edit {
        new: true,
        ..by("ada")
    };
    put("1", new.clone()).await.unwrap();
    let error = put("2", new).await.unwrap_err();
    assert!(matches!(error, EditError::Exists { .. }), "{error}");
    let seen = |version| Edit {
        seen: Some(version),
        ..by("bob")
    };
    put("2", seen(1)).await.unwrap();
    let error = put("3", seen(1)).await.unwrap_err();
    assert!(
        matches!(error, EditError::Changed { version: 2, .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_not_taken() {
    let config = Config {
        keys: vec![key("team-a", "sk-team-a-secret-key")],
        ..Config::default()
    };
    let app = TestApp::start(config).await;
    let in_force = &app.app().in_force;
    let limit = RateLimit {
        enabled: true,
        applies_to: Selector {
            keys: vec!["team-a".to_owned(), "team-b".to_owned()],
            addresses: vec!["nowhere".to_owned()],
            ..Selector::default()
        },
        rate: Rate {
            requests: Some(1),
            window_seconds: 60,
            ..Rate::default()
        },
        ..RateLimit::default()
    };
    let error = in_force
        .put("a/b", Policy::Limit(limit), &by("ada"))
        .await
        .unwrap_err();
    let EditError::Invalid(fields) = error else {
        panic!("{error}");
    };
    let fields: Vec<_> = fields.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(
        fields,
        ["name", "applies_to.keys[1]", "applies_to.addresses[0]"]
    );
    let error = in_force
        .put("nobody", Policy::Key(ClientKey::default()), &by("ada"))
        .await
        .unwrap_err();
    assert!(matches!(error, EditError::NoSuchPolicy { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_takes_no_edit() {
    let app = TestApp::start(Config::default()).await;
    let mut other = app.connect().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let policy = Policy::SystemPrompt(prompt("lost?"));
    let error = app
        .app()
        .in_force
        .put("mine", policy, &by("ada"))
        .await
        .unwrap_err();
    assert!(matches!(error, EditError::NotKept(_)), "{error}");
    assert!(app.app().in_force.policy(PROMPT, "mine").await.is_err());
    other.execute("ROLLBACK").await.unwrap();
}
