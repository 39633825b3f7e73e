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
        &json!({"text": "two", "order": 7}),
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
