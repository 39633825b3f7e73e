//! The dashboard's forms as browsers without a script send them.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use server::config::DEFAULT_PROMPT;
use shared::policies::SystemPrompt;

use crate::operator::{config, get, request, send};
use crate::test_app::TestApp;

/// What comes back for a form: its status, and the page or where to go.
async fn post(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let form = request(app, Method::POST, path).header(header::ACCEPT, "text/html");
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = client.execute(form.form(fields).build().unwrap());
    let answer = answer.await.unwrap();
    let status = answer.status();
    let location = answer.headers().get(header::LOCATION);
    match location.map(|location| location.to_str().unwrap().to_owned()) {
        Some(location) => (status, location),
        None => (status, without_comments(&answer.text().await.unwrap())),
    }
}

/// A page as it is read: hydration has its marks between texts.
fn without_comments(page: &str) -> String {
    page.replace("<!>", "")
}

async fn page(app: &TestApp, path: &str) -> String {
    let page = request(app, Method::GET, path).send().await.unwrap();
    assert_eq!(page.status(), 200, "{path}");
    without_comments(&page.text().await.unwrap())
}

#[track_caller]
fn says(page: &str, text: &str) {
    assert!(page.contains(text), "{text}: {page}");
}

const PROMPT: &str = "/api/v1/system-prompts/default";

async fn prompt(app: &TestApp) -> Value {
    get(app, PROMPT).await["value"]["text"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_editor_is_told_what_changed_and_may_save_over_it() {
    let app = TestApp::start(config("a")).await;
    let put = send(&app, Method::PUT, PROMPT, &json!({"text": "one"})).await;
    assert_eq!(put.status(), 201);
    says(
        &page(&app, "/system-prompt").await,
        r#"name="seen" value="1""#,
    );
    let put = send(
        &app,
        Method::PUT,
        PROMPT,
        &json!({"text": "two", "order": 7, "position": "before"}),
    )
    .await;
    assert_eq!(put.status(), 200);

    let mine = [
        ("do", "save"),
        ("form", "system_prompt"),
        ("kind", "system_prompt"),
        ("name", "default"),
        ("seen", "1"),
        ("text", "mine"),
        ("order", "0"),
        ("enabled", "on"),
        ("position", "after"),
    ];
    // Pressing the same button again does not make it another form.
    for _ in 0..2 {
        let (status, page) = post(&app, "/system-prompt", &mine).await;
        assert_eq!(status, 409, "{page}");
        says(&page, "changed the system prompt default at ");
        says(&page, "<strong>In force now: </strong>two");
        says(&page, "<strong>In force now: </strong>7");
        says(&page, "<strong>In force now: </strong>Before the client");
        says(&page, ">mine</textarea>");
        says(&page, r#"name="seen" value="1""#);
        says(&page, r#"name="over" value="2""#);
        assert_eq!(prompt(&app).await, "two");
    }
    // Nor does correcting something.
    let mut wrong = mine.to_vec();
    wrong[5].1 = "";
    let (status, page) = post(&app, "/system-prompt", &wrong).await;
    assert_eq!(status, 422);
    says(&page, r#"name="seen" value="1""#);

    let over = [&mine[..], &[("over", "2")]].concat();
    assert_eq!(post(&app, "/system-prompt", &over).await.0, 303);
    assert_eq!(prompt(&app).await, "mine");
    // It was about that version, and no other.
    assert_eq!(post(&app, "/system-prompt", &over).await.0, 409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_meanwhile_is_not_made_again_by_itself() {
    let app = TestApp::start(config("a")).await;
    let limit = json!({"rate": {"requests": 1, "window_seconds": 60}});
    send(&app, Method::PUT, "/api/v1/limits/a", &limit).await;
    send(&app, Method::DELETE, "/api/v1/limits/a", &Value::Null).await;
    let mine = [
        ("do", "save"),
        ("form", "limit"),
        ("kind", "limit"),
        ("name", "a"),
        ("seen", "1"),
        ("rate.requests", "5"),
    ];
    let (status, page) = post(&app, "/limits?edit=a", &mine).await;
    assert_eq!(status, 409, "{page}");
    says(&page, "deleted the rate limit a at ");
    says(&page, r#"name="over" value="2""#);
    assert_eq!(get(&app, "/api/v1/limits").await, json!([]));
    let over = [&mine[..], &[("over", "2")]].concat();
    assert_eq!(post(&app, "/limits?edit=a", &over).await.0, 303);
    let made = get(&app, "/api/v1/limits/a").await;
    assert_eq!(made["value"]["rate"]["requests"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_make_the_same_one_the_second_is_told() {
    let app = TestApp::start(config("a")).await;
    let page = page(&app, "/system-prompt").await;
    says(&page, r#"name="new" value="on""#);
    let prompt_of = |text: &'static str| {
        [
            ("do", "save"),
            ("form", "system_prompt"),
            ("kind", "system_prompt"),
            ("name", "default"),
            ("seen", "0"),
            ("new", "on"),
            ("text", text),
        ]
    };
    let first = post(&app, "/system-prompt", &prompt_of("first")).await;
    assert_eq!(first.0, 303, "{}", first.1);
    let (status, page) = post(&app, "/system-prompt", &prompt_of("second")).await;
    assert_eq!(status, 409, "{page}");
    says(&page, "made the system prompt default at ");
    says(&page, "<strong>In force now: </strong>first");
    assert_eq!(prompt(&app).await, "first");

    // Where a name is given, another one is needed.
    for (path, kind) in [("/limits?new=1", "limit"), ("/keys?new=1", "key")] {
        let made = [
            ("do", "save"),
            ("form", kind),
            ("kind", kind),
            ("name", "a"),
            ("new", "on"),
            ("rate.requests", "5"),
        ];
        let (first, _) = post(&app, path, &made).await;
        assert!(first == 303 || first == 200, "{first}");
        let (status, page) = post(&app, path, &made).await;
        assert_eq!(status, 422, "{page}");
        says(&page, &format!(r##"href="#{kind}-name""##));
        assert!(!page.contains(r#"name="over""#), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_text_of_the_file_is_shown_beside_an_edit() {
    let mut config = config("a");
    let text = "from the <file>".to_owned();
    let prompt = SystemPrompt {
        enabled: true,
        text,
        ..SystemPrompt::default()
    };
    config
        .system_prompts
        .insert(DEFAULT_PROMPT.to_owned(), prompt);
    let app = TestApp::start(config).await;
    send(&app, Method::PUT, PROMPT, &json!({"text": "edited"})).await;
    let page = page(&app, "/system-prompt").await;
    says(&page, "from the &lt;file&gt;</pre>");
    says(&page, ">edited</textarea>");
}

/// A form with one mistake, and the page that comes back for it.
async fn refused(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> String {
    let (status, page) = post(app, path, fields).await;
    assert_eq!(status, 422, "{page}");
    page
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_are_told_at_their_fields() {
    let app = TestApp::start(config("a")).await;
    let key = [
        ("do", "save"),
        ("form", "key"),
        ("kind", "key"),
        ("name", "a"),
        ("new", "on"),
        ("rates[0].requests", ""),
        ("rates[1].requests", "0"),
    ];
    let told = refused(&app, "/keys?new=1", &key).await;
    says(&told, r##"href="#key-rates-1-requests""##);
    says(
        &page(&app, "/keys?new=1").await,
        r#"name="allowances[0].alerts" value="50, 80, 100""#,
    );

    let (status, _) = post(&app, "/keys?new=1", &key[..5]).await;
    assert_eq!(status, 200);
    let rotate = [
        ("do", "rotate"),
        ("form", "rotation"),
        ("kind", "key"),
        ("name", "a"),
        ("grace_seconds", "999d"),
    ];
    let told = refused(&app, "/keys?edit=a", &rotate).await;
    says(&told, r##"href="#rotation-grace_seconds""##);
    says(&told, r#"<details open class="confirm""#);

    let rule = [
        ("do", "try"),
        ("form", "guardrail"),
        ("kind", "guardrail"),
        ("name", "a"),
        ("new", "on"),
        ("check.kind", "patterns"),
        ("check.patterns", "("),
        ("action.kind", "flag"),
        ("text", "x"),
        ("text_side", "request"),
    ];
    let told = refused(&app, "/guardrails?new=1&check=patterns", &rule).await;
    says(&told, r##"href="#guardrail-check-patterns""##);
    let mut nothing = rule;
    nothing[6].1 = "x";
    nothing[8].1 = "";
    let told = refused(&app, "/guardrails?new=1&check=patterns", &nothing).await;
    says(&told, r##"href="#guardrail-text""##);
    says(&told, r#"<details open class="group wide trial""#);

    let why = "y".repeat(1001);
    let limit = [
        ("do", "save"),
        ("form", "limit"),
        ("kind", "limit"),
        ("name", "a"),
        ("rate.requests", "5"),
        ("reason", &*why),
    ];
    let told = refused(&app, "/limits?new=1", &limit).await;
    says(&told, r##"href="#limit-reason""##);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_key_can_be_neither_saved_nor_restored() {
    let app = TestApp::start(config("a")).await;
    let made = send(&app, Method::POST, "/api/v1/keys", &json!({"name": "a"})).await;
    assert_eq!(made.status(), 201);
    says(&page(&app, "/keys?edit=a").await, r#"value="save""#);
    send(&app, Method::DELETE, "/api/v1/keys/a", &Value::Null).await;
    let page = page(&app, "/keys?edit=a").await;
    says(&page, "Its secrets went with it.");
    says(&page, "<p>deleted ");
    for action in ["save", "restore", "rotate", "enable"] {
        let button = format!(r#"value="{action}""#);
        assert!(!page.contains(&button), "{action}: {page}");
    }
    // To whoever had it open, too.
    let save = [
        ("do", "save"),
        ("form", "key"),
        ("kind", "key"),
        ("name", "a"),
        ("seen", "1"),
        ("owner", "Ada"),
    ];
    let (status, page) = post(&app, "/keys?edit=a", &save).await;
    assert_eq!(status, 409);
    says(&page, "A deleted key cannot be saved");
    says(&page, r#"value="Ada""#);
    assert!(!page.contains(r#"name="over""#), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_entered_outlives_trouble_with_the_database() {
    use sqlx::Executor;
    let app = TestApp::start(config("a")).await;
    let mut other = app.connect().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let mine = [
        ("do", "save"),
        ("form", "system_prompt"),
        ("kind", "system_prompt"),
        ("name", "default"),
        ("seen", "0"),
        ("new", "on"),
        ("text", "mine"),
    ];
    let (status, page) = post(&app, "/system-prompt", &mine).await;
    assert_eq!(status, 503, "{page}");
    says(&page, ">mine</textarea>");
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(post(&app, "/system-prompt", &mine).await.0, 303);
}
