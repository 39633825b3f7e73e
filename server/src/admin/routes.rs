//! Every route of the admin listener beside the dashboard's.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use shared::access::{Area, Role};
use shared::policies::PolicyKind;

use super::json_body::MAX_BODY;
use super::needs::Needs;
use super::predecessors::{cache, guardrails, rate_limit, stats, system_prompt};
use super::rest::policies::Kind;
use super::rest::{self, gateway, keys, policies, states};
use super::{AdminState, login, problem};

/// The login's form is one token; in bytes.
const LOGIN_FORM: usize = 8 * 1024;

/// A method of a path, and what answers it.
struct Endpoint {
    method: Method,
    path: String,
    needs: Needs,
    handler: MethodRouter<AdminState>,
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
    let mut all = vec![
        post("/login", login::submit)
            .at_most(LOGIN_FORM)
            .by_anybody(),
        post("/logout", login::logout).by_anybody(),
        get("/health", crate::ingress::health).by_anybody(),
        get("/metrics", gateway::metrics),
        get("/api/v1/overview", gateway::overview),
        get("/api/v1/status", gateway::status),
        get("/api/v1/targets", gateway::targets),
        get("/api/v1/models", gateway::models),
        patch("/api/v1/models/{*name}", gateway::change_model),
        delete("/api/v1/models/{*name}", gateway::reset_model),
    ];
    for kind in PolicyKind::ALL {
        all.extend(of_policies(kind));
    }
    all.extend([
        post("/api/v1/keys", keys::create),
        post("/api/v1/keys/{name}/rotate", keys::rotate).of(PolicyKind::Key),
        get("/api/v1/limits/states", states::limits),
        get("/api/v1/budgets/states", states::budgets),
        post("/api/v1/guardrails/test", rest::guardrails::test),
        get("/api/v1/guardrails/stats", rest::guardrails::stats),
        get("/api/v1/cache/entries", rest::cache::entries),
        delete("/api/v1/cache/entries", rest::cache::clear),
        delete("/api/v1/cache/entries/{id}", rest::cache::delete),
        get("/api/v1/cache/stats", rest::cache::stats),
        get("/api/v1/audit", rest::audit::list),
        get("/api/v1/audit/verify", rest::audit::verify),
    ]);
    all.extend([
        get("/admin/ratelimit", rate_limit::plan),
        post("/admin/ratelimit", rate_limit::set),
        delete("/admin/ratelimit", rate_limit::remove),
        get("/admin/ratelimit/states", rate_limit::states),
        get("/admin/ratelimit/clients", rate_limit::clients),
        post("/admin/ratelimit/clients", rate_limit::set_client),
        delete("/admin/ratelimit/clients/{ip}", rate_limit::remove_client),
        get("/admin/systemprompt", system_prompt::get),
        post("/admin/systemprompt", system_prompt::set),
        get("/admin/guardrails", guardrails::get),
        post("/admin/guardrails", guardrails::set),
        get("/admin/cache", cache::entries),
        delete("/admin/cache", cache::clear),
        get("/admin/stats", stats::stats),
    ]);
    all
}

/// What is the same for every kind of policies.
fn of_policies(kind: PolicyKind) -> Vec<Endpoint> {
    let list = format!("/api/v1/{}", kind.path());
    let one = match kind.is_single() {
        true => list.clone(),
        false => format!("{list}/{{name}}"),
    };
    let mut all = vec![
        get(&one, policies::one),
        get(&format!("{one}/versions"), policies::versions),
    ];
    let mut edits = vec![
        put(&one, policies::put),
        post(&format!("{one}/reset"), policies::reset),
        post(
            &format!("{one}/versions/{{version}}/restore"),
            policies::restore,
        ),
    ];
    if !kind.is_single() {
        all.push(get(&list, policies::list));
        edits.push(delete(&one, policies::delete));
    }
    // Whoever may say where a provider is has its keys sent there.
    if kind == PolicyKind::Provider {
        edits = edits.into_iter().map(Endpoint::by_admins).collect();
    }
    all.extend(edits);
    all.into_iter().map(|endpoint| endpoint.of(kind)).collect()
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
        }
    }

    /// Only admins may.
    fn by_admins(self) -> Self {
        self.needing(Role::Admin)
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
