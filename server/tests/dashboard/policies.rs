//! The pages on which policies are edited, before any script runs.

use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{Request, StatusCode};
use server::access::{Operator, Via};
use shared::access::Role;
use shared::policies::{Check, Policy, PolicyApi, PolicyKind};

use super::sample::{Policies, Sample, Scene};
use super::{Reply, send_by, send_to};

/// A dashboard whose policies outlast a request.
struct Dashboard {
    sample: Arc<Sample>,
    policies: Arc<Policies>,
}

impl Dashboard {
    fn new(scene: Scene) -> Self {
        let sample = Arc::new(Sample::new(scene));
        let policies = sample.policies.clone();
        Self { sample, policies }
    }

    async fn get(&self, path: &str) -> Reply {
        let request = Request::get(path);
        send_to(self.sample.clone(), self.policies.clone(), request, "").await
    }

    async fn post(&self, path: &str, form: &str) -> Reply {
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        send_to(self.sample.clone(), self.policies.clone(), request, form).await
    }

    /// Sends a form that is done, and follows to where it leads.
    #[track_caller]
    fn leads_to(reply: &Reply, path: &str) {
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
        assert_eq!(reply.headers[LOCATION], path);
    }
}

#[tokio::test]
async fn every_page_comes_whole() {
    let busy = Dashboard::new(Scene::Busy);
    for (path, title, said) in [
        ("/system-prompt", "System prompt", "{{model}}"),
        (
            "/system-prompt?edit=shop",
            "System prompt",
            "include &lt;VAT>",
        ),
        ("/system-prompt?new=1", "System prompt", "New system prompt"),
        ("/guardrails", "Guardrails", "prompt injection, threshold 5"),
        (
            "/guardrails?new=1",
            "Guardrails",
            "Regular expressions, in linear time",
        ),
        (
            "/guardrails?new=1&check=webhook",
            "Guardrails",
            "Milliseconds",
        ),
        (
            "/guardrails?edit=no-secrets",
            "Guardrails",
            "API keys and secrets",
        ),
        (
            "/guardrails?edit=no-secrets&check=length",
            "Guardrails",
            "At most",
        ),
        ("/limits", "Limits", "120 of 120 requests"),
        ("/limits?edit=per-address", "Limits", "Fixed window"),
        ("/limits?view=budgets&edit=everything", "Limits", "1000.00"),
        ("/limits?view=budgets&new=1", "Limits", "50, 80, 100"),
        ("/cache", "Cache", "2.31M"),
        ("/cache?model=gpt-4o", "Cache", "Clear these…"),
        ("/keys", "Keys", "gw-3fA9…"),
        (
            "/keys?project=storefront",
            "Keys",
            "Remove the filter Project",
        ),
        ("/keys?q=hopper", "Keys", "Grace Hopper"),
        ("/keys?q=nobody", "Keys", "No such key."),
        ("/keys?view=projects", "Keys", "The shop and its search"),
        ("/keys?view=projects&edit=storefront", "Keys", "500.00"),
        ("/keys?edit=batch", "Keys", "2027-01-31T00:00"),
        ("/keys?new=1", "Keys", "New key"),
    ] {
        let page = busy.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        page.says(&format!("<title>{title} · AI Gateway</title>"))
            .says(said)
            .hides(">Loading<");
    }
}

#[tokio::test]
async fn a_fresh_gateway_says_what_is_missing() {
    let fresh = Dashboard::new(Scene::Fresh);
    for (path, said) in [
        (
            "/system-prompt",
            "Models are told nothing but what clients tell them.",
        ),
        ("/guardrails", "requests and replies pass as they are"),
        ("/limits", "nobody is slowed down"),
        ("/limits?view=budgets", "nobody is kept from spending"),
        ("/cache", "The cache holds no answer."),
        ("/keys", "From the first key on, every request needs one."),
    ] {
        fresh.get(path).await.says(said);
    }
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let busy = Dashboard::new(Scene::Busy);
    busy.get("/limits?edit=none")
        .await
        .says("There is no rate limit `none`.");
    let reply = busy.post("/limits", "do=explode&kind=limit").await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    reply.says("The form does not say what to do.");
    let reply = busy.post("/limits", "").await;
    reply.says("The form does not say what it is about.");
}

#[tokio::test]
async fn a_form_that_is_refused_keeps_what_was_typed() {
    let busy = Dashboard::new(Scene::Busy);
    let form = "form=limit&kind=limit&new=on&do=save&name=my+limit&enabled=on&per=key&rate.requests=lots\
                &rate.tokens=&rate.window_seconds=5m&rate.algorithm=token_bucket&reason=because";
    let page = busy.post("/limits?new=1", form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.says("This is not a whole number of this size.")
        .says(r#"value="lots""#)
        .says(r#"value="my limit""#)
        .says(r#"value="because""#)
        .says(r##"href="#limit-rate-requests""##)
        .says(r#"id="limit-rate-requests-error""#)
        .says(r#"aria-describedby="limit-rate-requests-error"#);
    // What the gateway finds wrong is told at the same places.
    let form = form.replace("lots", "");
    let page = busy.post("/limits?new=1", &form).await;
    page.says("Give a number of requests or of tokens.")
        .says(r#"id="limit-rate-requests-error""#);
    let form = form.replace("rate.tokens=", "rate.tokens=5");
    let page = busy.post("/limits?new=1", &form).await;
    page.says("A name has letters, digits, dots, dashes and underscores.")
        .says(r#"id="limit-name-error""#);
    let limits = busy.policies.policies(PolicyKind::Limit).await;
    assert_eq!(limits.expect("limits").len(), 2);
}

#[tokio::test]
async fn an_edit_is_done_and_can_be_taken_back() {
    let busy = Dashboard::new(Scene::Busy);
    let form = "form=guardrail&kind=guardrail&name=banned-phrases&seen=0&do=save&enabled=on&order=5\
                &check.kind=phrases&check.phrases=one%0D%0Atwo%2C+three&side=both&action.kind=block\
                &action.message=No.&reason=more+of+them";
    let reply = busy.post("/guardrails?edit=banned-phrases", form).await;
    Dashboard::leads_to(&reply, "/guardrails?done=saved");
    let entry = busy
        .policies
        .policy(PolicyKind::Guardrail, "banned-phrases")
        .await
        .expect("a rule");
    let Policy::Guardrail(rule) = entry.policy else {
        panic!("a guardrail");
    };
    let phrases = vec!["one".to_owned(), "two, three".to_owned()];
    assert_eq!(
        rule.check,
        Check::Phrases {
            phrases,
            whole_word: false
        }
    );
    busy.get("/guardrails?edit=banned-phrases")
        .await
        .says("edited, over file")
        .says("more of them")
        .says("The configuration says")
        .says("project titan");

    // Somebody who saw the version before is not to overwrite this one.
    let page = busy.post("/guardrails?edit=banned-phrases", form).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    page.says("changed the guardrail banned-phrases")
        .says("What is in force now says the same.");

    let reset = "kind=guardrail&name=banned-phrases&seen=1&do=reset";
    let reply = busy.post("/guardrails?edit=banned-phrases", reset).await;
    Dashboard::leads_to(&reply, "/guardrails?done=reset");
    let restore = "kind=guardrail&name=banned-phrases&seen=2&do=restore&version=1";
    let reply = busy.post("/guardrails?edit=banned-phrases", restore).await;
    Dashboard::leads_to(&reply, "/guardrails?done=restored");
    let delete = "kind=guardrail&name=banned-phrases&seen=3&do=delete";
    let reply = busy.post("/guardrails?edit=banned-phrases", delete).await;
    Dashboard::leads_to(&reply, "/guardrails?done=deleted&of=banned-phrases");
    busy.get("/guardrails")
        .await
        .says("Deleted here; the configuration still says it")
        .hides("Disable<span class=\"visually-hidden\"> banned-phrases");
    // Its versions are still there, to restore one of them.
    busy.get("/guardrails?edit=banned-phrases")
        .await
        .says("deleted")
        .says("Restore");
}

#[tokio::test]
async fn a_rule_is_switched_off_and_on() {
    let busy = Dashboard::new(Scene::Busy);
    for (action, enabled, seen) in [("disable", false, 0), ("enable", true, 1)] {
        let form = format!("kind=guardrail&name=no-secrets&seen={seen}&do={action}");
        let reply = busy.post("/guardrails", &form).await;
        Dashboard::leads_to(&reply, "/guardrails?done=saved");
        let entry = busy
            .policies
            .policy(PolicyKind::Guardrail, "no-secrets")
            .await;
        let Policy::Guardrail(rule) = entry.expect("a rule").policy else {
            panic!("a guardrail");
        };
        assert_eq!(rule.enabled, enabled);
    }
}

#[tokio::test]
async fn a_secret_is_shown_once_and_never_in_an_address() {
    let busy = Dashboard::new(Scene::Busy);
    let form = "form=key&kind=key&new=on&do=save&name=laptop&enabled=on&owner=Ada&tags=a%2C+b\
                &rates%5B0%5D.requests=60&rates%5B0%5D.window_seconds=1m&rates%5B0%5D.algorithm=fixed_window\
                &rates%5B1%5D.requests=&allowances%5B0%5D.cost_nanos=12.50&allowances%5B0%5D.period=day";
    let page = busy.post("/keys?new=1", form).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.headers.contains_key(LOCATION));
    page.says("The secret of laptop")
        .says(r#"value="gw-sample0001-of-laptop-not-a-real-one""#);
    busy.get("/keys")
        .await
        .says("laptop")
        .says("60 requests in 1m")
        .says("$12.50 a day")
        .hides("not-a-real-one");
    // The same form again makes no other key.
    let again = busy.post("/keys?new=1", form).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    again.says("There is a key `laptop` already.");

    let rotate = "form=rotation&kind=key&name=laptop&seen=1&do=rotate&grace_seconds=1h";
    busy.post("/keys?edit=laptop", rotate)
        .await
        .says("The secret of laptop")
        .says("gw-sample0003");
    busy.get("/keys?edit=laptop")
        .await
        .says("taken until")
        .hides("not-a-real-one");
    let wrong = "form=rotation&kind=key&name=laptop&seen=2&do=rotate&grace_seconds=soon";
    busy.post("/keys?edit=laptop", wrong)
        .await
        .says("Write a time as 30s, 5m, 1h or 1d.");
}

#[tokio::test]
async fn a_text_is_tested() {
    let busy = Dashboard::new(Scene::Busy);
    let form = "form=tester&do=test&text_side=request&text=about+Project+Titan%3Cb%3E";
    let page = busy.post("/guardrails", form).await;
    assert_eq!(page.status, StatusCode::OK);
    page.says("Blocked: the client is told")
        .says("guardrail `banned-phrases`")
        .says("about Project Titan&lt;b");
    let form = "form=tester&do=test&text_side=request&text=my+key+is+sk-123+ok";
    busy.post("/guardrails", form)
        .await
        .says("This goes on")
        .says("my key is [REDACTED] ok");
    let form = "form=tester&do=test&text_side=request&text=";
    busy.post("/guardrails", form)
        .await
        .says(r#"id="tester-text-error""#);
    // A rule that is not there yet is tried with the others.
    let form = "form=guardrail&kind=guardrail&new=on&do=try&name=&enabled=on&side=both&check.kind=phrases\
                &check.phrases=pears&action.kind=replace&action.with=apples&text=two+pears&text_side=reply";
    busy.post("/guardrails?new=1&check=phrases", form)
        .await
        .says("(new)")
        .says("two apples");
}

#[tokio::test]
async fn answers_are_forgotten_one_by_one_and_together() {
    let busy = Dashboard::new(Scene::Busy);
    let answers = busy
        .policies
        .cache_entries(Default::default(), 100)
        .await
        .expect("answers");
    let form = format!("do=forget&id={}", answers[0].id);
    let reply = busy.post("/cache", &form).await;
    Dashboard::leads_to(&reply, "/cache?done=cleared&count=1");
    let reply = busy.post("/cache", "do=forget&id=").await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let reply = busy
        .post("/cache?model=gpt-4o", "do=clear&model=gpt-4o&key=")
        .await;
    Dashboard::leads_to(&reply, "/cache?done=cleared&count=4");
    let reply = busy.post("/cache", "do=clear&model=&key=").await;
    Dashboard::leads_to(&reply, "/cache?done=cleared&count=9");
    busy.get("/cache?done=cleared&count=9")
        .await
        .says("The cache has forgotten answers.")
        .says("(9)")
        .says("The cache holds no answer.");
    // The text of a stranger's link is never shown.
    busy.get("/cache?done=cleared&count=%3Cb%3Ex")
        .await
        .hides("b>x");
}

#[tokio::test]
async fn viewers_are_offered_nothing_that_they_may_not_do() {
    let busy = Dashboard::new(Scene::Busy);
    let get_as = |role, path: &'static str| {
        let operator = Operator::new("vera", role, Via::Session);
        let (sample, policies) = (busy.sample.clone(), busy.policies.clone());
        async move { send_by(operator, sample, policies, Request::get(path), "").await }
    };
    // The only things that are sent: the session's end, and the colours.
    let sent = |reply: &Reply| {
        let forms = reply.text.split("<form").skip(1);
        let forms = forms.map(|form| {
            form.split_once("</form>")
                .expect("a whole form")
                .0
                .to_owned()
        });
        forms
            .filter(|form| form.contains("method=\"post\""))
            .filter(|form| !form.contains("/logout") && !form.contains("/ui/api/theme"))
            .count()
    };
    for path in [
        "/system-prompt",
        "/system-prompt?edit=shop",
        "/system-prompt?new=1",
        "/guardrails",
        "/guardrails?new=1",
        "/guardrails?new=1&check=phrases",
        "/limits",
        "/limits?new=1",
        "/limits?view=budgets",
        "/cache",
        "/keys",
        "/keys?new=1",
        "/keys?view=projects",
    ] {
        let viewer = get_as(Role::Viewer, path).await;
        assert_eq!(viewer.status, StatusCode::OK, "{path}");
        assert_eq!(sent(&viewer), 0, "{path}");
        viewer
            .says("data-role=\"viewer\"")
            .says("Your role is viewer")
            .hides("new=1\"")
            .hides("new=1&")
            .hides(">Save<")
            .hides(">Create<")
            .hides("Restore")
            .hides("Delete…");
        let editor = get_as(Role::Editor, path).await;
        editor.hides("Your role is viewer");
        assert!(sent(&editor) > 0 || editor.text.contains("new=1"), "{path}");
    }
    // What there is can be read all the same.
    for (path, said) in [
        ("/system-prompt?edit=shop", "include &lt;VAT>"),
        ("/guardrails", "prompt injection, threshold 5"),
    ] {
        get_as(Role::Viewer, path).await.says(said);
    }
    let edited = get_as(Role::Viewer, "/system-prompt?edit=shop").await;
    edited.says("<fieldset disabled class=\"as-it-is\">");
    // A page that answers a form of an editor's is an editor's page.
    let operator = Operator::new("ed", Role::Editor, Via::Session);
    let request =
        Request::post("/limits?new=1").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let (sample, policies) = (busy.sample.clone(), busy.policies.clone());
    let form = "do=save&form=limit&kind=limit&new=on&name=";
    let refused = send_by(operator, sample, policies, request, form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.says("data-role=\"editor\"").says(">Create<");
}
