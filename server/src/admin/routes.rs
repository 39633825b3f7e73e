//! Every route of the admin listener beside the dashboard's.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use serde_json::{Map, Value};
use shared::access::{
    Area, MadeToken, Me, NewToken, PasswordChange, Role, SessionEntry, TokenEntry, UserEntry,
    UserSettings, UserVersion,
};
use shared::analytics::{
    ExportQuery, GatewayHealth, ListedPrice, Overview, OverviewQuery, RequestDetail, RequestLog,
    RequestQuery, Usage, UsageQuery,
};
use shared::audit::{AuditEntry, AuditQuery, ChainReport};
use shared::dry_run::{DryRun, DryRunRequest};
use shared::payloads::{LoggedPayload, PayloadStatus};
use shared::policies::{
    Budget, BudgetState, CacheEntry, CacheSettings, CacheStats, ClientKey, ConfiguredKey,
    EgressRoute, Guardrail, LimitState, LoggingChange, LoggingSettings, ModelSettings, NewKey,
    PayloadSettings, PolicyEntry, PolicyKind, PolicyVersion, PriceSettings, Project,
    ProviderSettings, RateLimit, Settings, SystemPrompt, TestReport, TestedText, Triggered,
};
use shared::routing::{ModelChange, ModelRouting, TargetStatus};
use shared::status::GatewayStatus;

use super::json_body::MAX_BODY;
use super::needs::Needs;
use super::openapi::{self, Operation, Row, SchemaOf, does, schema_of};
use super::predecessors::{
    Status, cache, egress, guardrails, logging, rate_limit, stats, system_prompt,
};
use super::rest::page::{Cursor, Limit, Page};
use super::rest::policies::Kind;
use super::rest::{self, gateway, keys, me, models, policies, sessions, states, tokens, users};
use super::{AdminState, login, problem};
use crate::telemetry::metrics;

/// The login's form is a name and a password, or a token; in bytes.
const LOGIN_FORM: usize = 8 * 1024;

/// A method of a path, and what answers it.
struct Endpoint {
    method: Method,
    path: String,
    needs: Needs,
    handler: MethodRouter<AdminState>,
    /// `None`: nobody has described it yet.
    operation: Option<Operation>,
}

/// The routes that the admin listener has beside the dashboard's: method and path, as `docs/admin-api.md` lists them.
pub fn served() -> Vec<(Method, String)> {
    let endpoints = endpoints().into_iter();
    endpoints.map(|one| (one.method, one.path)).collect()
}

/// The same with what each needs of whoever calls it.
pub fn needed() -> Vec<(Method, String, Needs)> {
    let endpoints = endpoints().into_iter();
    endpoints
        .map(|one| (one.method, one.path, one.needs))
        .collect()
}

/// Those of them that the OpenAPI document lacks.
pub fn undescribed() -> Vec<(Method, String)> {
    let endpoints = endpoints().into_iter();
    let missing = endpoints.filter(|one| one.operation.is_none());
    missing.map(|one| (one.method, one.path)).collect()
}

/// All of them, with what the OpenAPI document says of each.
pub(super) fn described() -> Vec<Row> {
    let endpoints = endpoints().into_iter();
    let rows = endpoints.map(|one| Row {
        method: one.method,
        path: one.path,
        needs: one.needs,
        operation: one.operation,
    });
    rows.collect()
}

pub(super) fn router(state: &AdminState) -> Router {
    let mut router = Router::new();
    for endpoint in endpoints() {
        let needs = endpoint.needs;
        let check = from_fn(move |request, next| needs.check(request, next));
        router = router.route(&endpoint.path, endpoint.handler.route_layer(check));
    }
    for prefix in ["/api", "/admin"] {
        router = router
            .route(prefix, any(problem::unknown))
            .route(&format!("{prefix}/"), any(problem::unknown))
            .route(&format!("{prefix}/{{*path}}"), any(problem::unknown));
    }
    router
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(state.clone())
}

fn endpoints() -> Vec<Endpoint> {
    let mut all = gateway();
    for kind in PolicyKind::ALL {
        all.extend(policies_of(kind));
    }
    all.extend(beside_policies());
    all.extend(access());
    all.extend(analytics());
    all.extend(predecessors());
    all
}

fn gateway() -> Vec<Endpoint> {
    vec![
        post("/login", login::submit)
            .at_most(LOGIN_FORM)
            .by_anybody()
            .described(
                does("Logs in: the session comes as a cookie")
                    .form::<login::Login>()
                    .replies_empty(303)
                    .refuses(403)
                    .refuses(429),
            ),
        post("/logout", login::logout)
            .by_anybody()
            .described(does("Ends the session").replies_empty(303).refuses(403)),
        get("/health", crate::ingress::health)
            .by_anybody()
            .described(does("Whether the process is there").replies::<Map<String, Value>>()),
        get("/metrics", gateway::metrics)
            .described(does("Metrics, for Prometheus").replies_as(200, metrics::CONTENT_TYPE)),
        get("/api/v1/openapi.json", openapi::json)
            .by_operators()
            .described(does("This document").replies::<Map<String, Value>>()),
        get("/api/docs", openapi::page)
            .by_operators()
            .described(does("This document, to read").replies_as(200, "text/html")),
        get("/api/v1/overview", gateway::overview).described(
            does("Traffic, tokens, errors, latency and cost")
                .query::<OverviewQuery>()
                .replies::<Overview>(),
        ),
        get("/api/v1/status", gateway::status).described(
            does("Version, providers, whether the gateway is open, how recording fares")
                .replies::<GatewayStatus>(),
        ),
        get("/api/v1/targets", gateway::targets).described(
            does("Where models' requests go, and how each place fares")
                .replies::<Vec<TargetStatus>>(),
        ),
        patch("/api/v1/models/{name}", models::change)
            .of(PolicyKind::Model)
            .described(
                does("Changes the strategy of a model, and nothing else")
                    .body::<ModelChange>()
                    .replies::<ModelRouting>()
                    .conditional(),
            ),
        get("/api/v1/settings/configuration", gateway::configuration).described(
            does("Every key of the configuration, secrets masked, and who says so")
                .replies::<Vec<ConfiguredKey>>(),
        ),
    ]
}

fn policies_of(kind: PolicyKind) -> Vec<Endpoint> {
    let mut all = Vec::new();
    let what = kind.label();
    let list = format!("/api/v1/{}", kind.path());
    let only = kind.is_single();
    let one = if only {
        list
    } else {
        let listed = does(format!(
            "Every {what}, in the order in which they act, else by name"
        ))
        .query::<Page>();
        all.push(match kind {
            PolicyKind::Model => get(&list, models::list)
                .of(kind)
                .described(listed.replies::<Vec<models::Listed>>().paged()),
            _ => get(&list, policies::list)
                .of(kind)
                .described(listed.replies::<Vec<PolicyEntry>>().paged()),
        });
        list + "/{name}"
    };
    let put_ = does(format!("Changes a {what}, or makes one"))
        .body_of(value_of(kind))
        .replies::<PolicyEntry>()
        .conditional();
    let put_ = match kind {
        // These are made elsewhere, or there is one already.
        PolicyKind::Key => put_,
        _ => put_.replies_with::<PolicyEntry>(201),
    };
    all.extend([
        get(&one, policies::one)
            .of(kind)
            .described(does(format!("A {what}")).replies::<PolicyEntry>().tagged()),
        put(&one, policies::put).of(kind).described(put_),
        post(&format!("{one}/reset"), policies::reset)
            .of(kind)
            .described(
                does(format!(
                    "Takes all edits of a {what} back: what the configuration says holds again"
                ))
                .replies::<PolicyEntry>()
                .replies_empty(204)
                .conditional(),
            ),
        get(&format!("{one}/versions"), policies::versions)
            .of(kind)
            .described(
                does(format!("What a {what} was, the latest first"))
                    .replies::<Vec<PolicyVersion>>(),
            ),
        post(
            &format!("{one}/versions/{{version}}/restore"),
            policies::restore,
        )
        .of(kind)
        .described(
            does(format!("Makes a {what} what it was then, as a new version"))
                .replies::<PolicyEntry>()
                .replies_empty(204)
                .conditional(),
        ),
    ]);
    if !only {
        all.push(match kind {
            PolicyKind::Model => delete(&one, models::delete).of(kind).described(
                does("Takes the edits of a model back, or the model out of force")
                    .query::<models::Deleted>()
                    .replies::<ModelRouting>()
                    .replies_empty(204)
                    .conditional(),
            ),
            _ => delete(&one, policies::delete).of(kind).described(
                does(format!("Takes a {what} out of force"))
                    .replies_empty(204)
                    .conditional(),
            ),
        });
    }
    if matches!(kind, PolicyKind::Provider | PolicyKind::Logging) {
        let former = format!("{one}/secrets/former");
        all.push(
            delete(&former, rest::secrets::delete_former)
                .of(kind)
                .described(
                    does(format!(
                        "Deletes the secrets that a {what} had and has no more"
                    ))
                    .notes("Versions that have them cannot be restored from then on.")
                    .replies::<rest::secrets::Deleted>()
                    .conditional(),
                ),
        );
    }
    if matches!(
        kind,
        PolicyKind::Provider | PolicyKind::Payloads | PolicyKind::Logging | PolicyKind::Settings
    ) {
        // Whoever may say where a provider is, or a service that the log is shipped to, has its keys sent there; what people write is not everybody's to log;
        // settings say whose word about addresses is taken.
        let by_admins = |one: Endpoint| match one.method {
            Method::GET => one,
            _ => one.by_admins(),
        };
        all = all.into_iter().map(by_admins).collect();
    }
    all
}

/// What a policy's body looks like.
fn value_of(kind: PolicyKind) -> SchemaOf {
    match kind {
        PolicyKind::Key => schema_of::<ClientKey>,
        PolicyKind::Project => schema_of::<Project>,
        PolicyKind::Limit => schema_of::<RateLimit>,
        PolicyKind::Budget => schema_of::<Budget>,
        PolicyKind::Guardrail => schema_of::<Guardrail>,
        PolicyKind::SystemPrompt => schema_of::<SystemPrompt>,
        PolicyKind::Cache => schema_of::<CacheSettings>,
        PolicyKind::Route => schema_of::<EgressRoute>,
        PolicyKind::Provider => schema_of::<ProviderSettings>,
        PolicyKind::Payloads => schema_of::<PayloadSettings>,
        PolicyKind::Logging => schema_of::<LoggingSettings>,
        PolicyKind::Model => schema_of::<ModelSettings>,
        PolicyKind::Price => schema_of::<PriceSettings>,
        PolicyKind::Settings => schema_of::<Settings>,
    }
}

fn beside_policies() -> Vec<Endpoint> {
    vec![
        post("/api/v1/keys", keys::create).described(
            does("Makes a client key; its secret is told this once")
                .body::<keys::Wanted>()
                .replies_with::<NewKey>(201)
                .conditional(),
        ),
        post("/api/v1/keys/{name}/rotate", keys::rotate)
            .of(PolicyKind::Key)
            .described(
                does("Gives a client key another secret, which is told this once")
                    .notes("Those before are taken for `grace_seconds` more.")
                    .body::<keys::Rotation>()
                    .replies::<NewKey>()
                    .conditional(),
            ),
        get("/api/v1/limits/states", states::limits).described(
            does("How much of each rate is used, the fullest first")
                .query::<Limit>()
                .replies::<Vec<LimitState>>(),
        ),
        get("/api/v1/budgets/states", states::budgets).described(
            does("How much of each quota and budget is used and reserved, the fullest first")
                .query::<Limit>()
                .replies::<Vec<BudgetState>>(),
        ),
        post("/api/v1/guardrails/test", rest::guardrails::test).described(
            does("What the guardrails do with a text")
                .body::<TestedText>()
                .replies::<TestReport>(),
        ),
        get("/api/v1/guardrails/stats", rest::guardrails::stats)
            .described(does("How often each rule has acted").replies::<Vec<Triggered>>()),
        get("/api/v1/cache/entries", rest::cache::entries).described(
            does("What the cache holds, the latest first")
                .query::<rest::cache::Listed>()
                .replies::<Vec<CacheEntry>>(),
        ),
        delete("/api/v1/cache/entries", rest::cache::clear).described(
            does("Forgets answers: those meant, or all")
                .query::<rest::cache::Cleared>()
                .replies::<rest::cache::Deleted>(),
        ),
        delete("/api/v1/cache/entries/{id}", rest::cache::delete)
            .described(does("Forgets one answer").replies_empty(204)),
        get("/api/v1/cache/stats", rest::cache::stats)
            .described(does("Entries, hits, misses, and what was saved").replies::<CacheStats>()),
        post("/api/v1/dry-run", rest::dry_run::try_out).described(
            does("What would become of a client's request")
                .notes("Nothing is sent, counted, reserved or recorded. What a client would be refused with is in the answer.")
                .body::<DryRunRequest>()
                .replies::<DryRun>(),
        ),
        get("/api/v1/payloads/status", rest::payloads::status).described(
            does("How the logging of payloads fares").replies::<PayloadStatus>(),
        ),
        patch("/api/v1/logging", rest::logging::change)
            .of(PolicyKind::Logging)
            .described(
                does("Changes how much is logged and how it is written, and nothing else of the log")
                    .body::<LoggingChange>()
                    .replies::<PolicyEntry>()
                    .conditional(),
            ),
        get("/api/v1/requests/{id}/payload", rest::payloads::one)
            .by_admins()
            .described(
                does("What a request and its reply said, where that is logged")
                    .replies::<LoggedPayload>(),
            ),
        get("/api/v1/audit", rest::audit::list).described(
            does("What operators have changed, the latest first")
                .query::<AuditQuery>()
                .replies::<Vec<AuditEntry>>()
                .paged(),
        ),
        get("/api/v1/audit/verify", rest::audit::verify).described(
            does("Whether the log of changes is what was written")
                .query::<rest::audit::Includes>()
                .replies::<ChainReport>(),
        ),
    ]
}

/// Who may do what.
fn access() -> Vec<Endpoint> {
    vec![
        get("/api/v1/me", me::me)
            .by_operators()
            .described(does("Who asks, and what they may").replies::<Me>()),
        put("/api/v1/me/password", me::change_password)
            .by_viewers()
            .described(
                does("Changes one's own password")
                    .notes("All sessions end; the one that asks gets another one, as a cookie.")
                    .body::<PasswordChange>()
                    .replies::<UserEntry>()
                    .tagged()
                    .reasoned()
                    .refuses(409),
            ),
        get("/api/v1/users", users::list).by_admins().described(
            does("All users, by name")
                .query::<Cursor>()
                .replies::<Vec<UserEntry>>()
                .paged(),
        ),
        get("/api/v1/users/{name}", users::one)
            .by_admins()
            .described(does("A user").replies::<UserEntry>().tagged()),
        put("/api/v1/users/{name}", users::put)
            .by_admins()
            .described(
                does("Changes a user, or makes one")
                    .body::<UserSettings>()
                    .replies::<UserEntry>()
                    .tagged()
                    .replies_with::<UserEntry>(201)
                    .tagged()
                    .conditional(),
            ),
        delete("/api/v1/users/{name}", users::delete)
            .by_admins()
            .described(
                does("Deletes a user, with sessions and API tokens")
                    .replies_empty(204)
                    .conditional(),
            ),
        get("/api/v1/users/{name}/versions", users::versions)
            .by_admins()
            .described(
                does("What a user was, the latest first; also of one who was deleted")
                    .replies::<Vec<UserVersion>>(),
            ),
        post(
            "/api/v1/users/{name}/versions/{version}/restore",
            users::restore,
        )
        .by_admins()
        .described(
            does("Makes a user what they were then, as a new version")
                .notes("The password stays what it is; one who was deleted has none until an admin gives one.")
                .replies::<UserEntry>()
                .tagged()
                .replies_empty(204)
                .conditional(),
        ),
        get("/api/v1/tokens", tokens::list).described(
            does("One's own API tokens, by name; for admins all")
                .query::<Cursor>()
                .replies::<Vec<TokenEntry>>()
                .paged(),
        ),
        get("/api/v1/tokens/{name}", tokens::one)
            .described(does("An API token").replies::<TokenEntry>().tagged()),
        post("/api/v1/tokens", tokens::create)
            .by_viewers()
            .described(
                does("Makes an API token; its secret is told this once")
                    .body::<NewToken>()
                    .replies_with::<MadeToken>(201)
                    .tagged()
                    .reasoned()
                    .refuses(409),
            ),
        delete("/api/v1/tokens/{name}", tokens::revoke)
            .by_viewers()
            .described(
                does("Revokes an API token")
                    .replies_empty(204)
                    .conditional(),
            ),
        get("/api/v1/sessions", sessions::list).described(
            does("One's own sessions, by their ids; for admins all")
                .query::<Cursor>()
                .replies::<Vec<SessionEntry>>()
                .paged(),
        ),
        delete("/api/v1/sessions/{id}", sessions::end)
            .by_viewers()
            .described(does("Ends a session").replies_empty(204).reasoned()),
    ]
}

fn analytics() -> Vec<Endpoint> {
    vec![
        get("/api/v1/requests", rest::requests::list).described(
            does("The requests that were recorded, the latest first")
                .notes("`next` is the `cursor` of the next page; a page may be empty and still not be the last.")
                .query::<RequestQuery>()
                .replies::<RequestLog>(),
        ),
        get("/api/v1/requests/{id}", rest::requests::one)
            .described(does("One request with its attempts").replies::<RequestDetail>()),
        get("/api/v1/usage", rest::usage::usage).described(
            does("Sums over requests: counts, tokens, cost, savings, percentiles of latencies")
                .query::<UsageQuery>()
                .replies::<Usage>(),
        ),
        get("/api/v1/prices", rest::usage::prices)
            .described(does("What tokens and other units cost").replies::<Vec<ListedPrice>>()),
        get("/api/v1/health", rest::usage::health).described(
            does("How database, recording and providers fare").replies::<GatewayHealth>(),
        ),
        get("/api/v1/export/sqlite", rest::export::sqlite)
            .by_admins()
            .described(
                does("What was recorded, as a SQLite database")
                    .replies_as(200, rest::export::SQLITE)
                    .refuses(400)
                    .refuses(507),
            ),
        get("/api/v1/export/csv", rest::export::csv).described(
            does("What was recorded, as comma-separated values")
                .notes("Sums by the hour or the day know only `from` and `to` of the filters.")
                .query::<ExportQuery>()
                .replies_as(200, rest::export::CSV),
        ),
        get("/api/v1/export/jsonl", rest::export::json_lines).described(
            does("What was recorded, as JSON lines")
                .notes("Sums by the hour or the day know only `from` and `to` of the filters.")
                .query::<ExportQuery>()
                .replies_as(200, rest::export::JSON_LINES),
        ),
    ]
}

/// Paths under `/admin`, as in a predecessor.
fn predecessors() -> Vec<Endpoint> {
    vec![
        get("/admin/ratelimit", rate_limit::plan).described(
            does("The rate limit per address; `{}` when off").replies::<rate_limit::Shown>(),
        ),
        post("/admin/ratelimit", rate_limit::set).described(
            does("Sets the rate limit per address")
                .body::<rate_limit::Plan>()
                .replies_as(201, "text/plain")
                .reasoned(),
        ),
        delete("/admin/ratelimit", rate_limit::remove).described(
            does("Switches the rate limit per address off")
                .replies_as(200, "text/plain")
                .reasoned(),
        ),
        get("/admin/ratelimit/states", rate_limit::states).described(
            does("How many requests each address has made in its window")
                .replies::<BTreeMap<String, rate_limit::Used>>(),
        ),
        get("/admin/ratelimit/clients", rate_limit::clients).described(
            does("The rate limits of single clients, by address")
                .replies::<BTreeMap<String, rate_limit::ClientPlan>>(),
        ),
        post("/admin/ratelimit/clients", rate_limit::set_client).described(
            does("Sets the rate limit of a client, or of all with `*.*.*.*`")
                .body::<rate_limit::ClientPlan>()
                .replies_with::<Status>(201)
                .reasoned(),
        ),
        delete("/admin/ratelimit/clients/{ip}", rate_limit::remove_client).described(
            does("Takes the rate limit of a client away")
                .replies::<Status>()
                .reasoned(),
        ),
        get("/admin/systemprompt", system_prompt::get)
            .described(does("The system prompt").replies::<system_prompt::Prompt>()),
        post("/admin/systemprompt", system_prompt::set).described(
            does("Sets the system prompt; an empty one switches it off")
                .body::<system_prompt::Prompt>()
                .replies_with::<Status>(201)
                .reasoned(),
        ),
        get("/admin/guardrails", guardrails::get)
            .described(does("The guardrails on replies").replies::<guardrails::Rules>()),
        post("/admin/guardrails", guardrails::set).described(
            does("Sets the guardrails on replies")
                .body::<guardrails::Rules>()
                .replies_with::<Status>(201)
                .reasoned(),
        ),
        get("/admin/logging", logging::get)
            .described(does("Where the log is shipped").replies::<logging::LoggingConfig>()),
        post("/admin/logging", logging::set).by_admins().described(
            does("Sets where the log is shipped")
                .body::<logging::LoggingConfig>()
                .replies_with::<Status>(201)
                .reasoned(),
        ),
        get("/admin/cache", cache::entries).described(
            does("The cache's entries by id, without what was answered")
                .replies::<BTreeMap<String, Map<String, Value>>>(),
        ),
        delete("/admin/cache", cache::clear)
            .described(does("Empties the cache").replies::<Status>()),
        get("/admin/routes", egress::list).described(
            does("HTTP APIs that are reached through the gateway, by name")
                .replies::<BTreeMap<String, egress::ServiceRoute>>(),
        ),
        get("/admin/routes/{name}", egress::one)
            .described(does("One of them").replies::<egress::ServiceRoute>()),
        post("/admin/routes", egress::set).described(
            does("Sets one")
                .body::<egress::ServiceRoute>()
                .replies_as(201, "text/plain")
                .reasoned(),
        ),
        delete("/admin/routes/{name}", egress::remove)
            .described(does("Takes one away").replies::<Status>().reasoned()),
        get("/admin/stats", stats::stats)
            .described(does("The figures of the last 30 days").replies::<Map<String, Value>>()),
    ]
}

impl Endpoint {
    fn new<H, T>(method: Method, path: &str, handler: H) -> Self
    where
        H: Handler<T, AdminState>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("a method that is known");
        Self {
            path: path.to_owned(),
            needs: Needs::by_default(&method, path),
            method,
            handler: on(filter, handler),
            operation: None,
        }
    }

    /// What the OpenAPI document says of it.
    fn described(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only admins may.
    fn by_admins(self) -> Self {
        self.needing(Role::Admin)
    }

    /// Viewers may, though it changes something.
    fn by_viewers(self) -> Self {
        self.needing(Role::Viewer)
    }

    /// Anybody may who is in, with whatever token.
    fn by_operators(mut self) -> Self {
        self.needs = Needs::Operator;
        self
    }

    /// Anybody may.
    fn by_anybody(mut self) -> Self {
        self.needs = Needs::Nothing;
        self
    }

    fn needing(mut self, role: Role) -> Self {
        self.needs = Needs::Role(role, Area::of(&self.path));
        self
    }

    /// It is about policies of this kind.
    fn of(mut self, kind: PolicyKind) -> Self {
        self.handler = self.handler.layer(Extension(Kind(kind)));
        self
    }

    /// Bodies have at most so many bytes.
    fn at_most(mut self, bytes: usize) -> Self {
        self.handler = self.handler.layer(DefaultBodyLimit::max(bytes));
        self
    }
}

fn get<H: Handler<T, AdminState>, T: 'static>(path: &str, handler: H) -> Endpoint {
    Endpoint::new(Method::GET, path, handler)
}

fn post<H: Handler<T, AdminState>, T: 'static>(path: &str, handler: H) -> Endpoint {
    Endpoint::new(Method::POST, path, handler)
}

fn put<H: Handler<T, AdminState>, T: 'static>(path: &str, handler: H) -> Endpoint {
    Endpoint::new(Method::PUT, path, handler)
}

fn patch<H: Handler<T, AdminState>, T: 'static>(path: &str, handler: H) -> Endpoint {
    Endpoint::new(Method::PATCH, path, handler)
}

fn delete<H: Handler<T, AdminState>, T: 'static>(path: &str, handler: H) -> Endpoint {
    Endpoint::new(Method::DELETE, path, handler)
}
