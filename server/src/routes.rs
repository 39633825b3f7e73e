//! Every route of the clients' listener.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use axum::routing::{any, get, post};
use futures_util::FutureExt;
use futures_util::future::{Either, Map};
use http::Method;
use llm::carried::OPERATIONS;
use llm::dialect::ChatDialect;
use llm::dialects::anthropic::Anthropic;
use llm::dialects::openai_chat::OpenAiChat;
use llm::dialects::openai_completions::OpenAiCompletions;
use llm::dialects::openai_responses::OpenAiResponses;
use llm::rerank::Shape;
use tower::{Layer, Service};

use crate::gateway::Gateway;
use crate::ingress::{
    self, Answer, Caught, ChatEndpoint, ModelEndpoints, Route, ServedTails, Telling,
};

/// Where each dialect is spoken whose path is fixed.
pub(crate) static CHAT: &[(&str, &dyn ChatDialect)] = &[
    ("/v1/chat/completions", &OpenAiChat),
    ("/v1/completions", &OpenAiCompletions),
    ("/v1/responses", &OpenAiResponses),
    ("/v1/messages", &Anthropic),
];

/// Where reranking is asked for.
static RERANK: &[(&str, Shape)] = &[("/v1/rerank", Shape::V1), ("/v2/rerank", Shape::V2)];

/// Where models are listed, and asked by their name in the path.
pub(crate) static MODELS: &[&str] = &["/v1/models", "/v1beta/models"];

/// What a listener answers with. What is done about every request of clients is done around their router: within, each
/// layer would be a box for every request, and a copy of what is in it.
#[derive(Clone, Debug)]
pub enum Routes {
    Clients(Telling<Caught<ClientRoutes>>),
    Operators(Router),
}

/// Chats at fixed paths go straight to their endpoints: on its way through a router a request is put into half a dozen
/// boxes. All else goes that way.
#[derive(Clone, Debug)]
pub struct ClientRoutes {
    chats: Arc<[(&'static str, ChatEndpoint)]>,
    gateway: Arc<Gateway>,
    others: Router,
}

impl Service<http::Request<Body>> for Routes {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<
        <Telling<Caught<ClientRoutes>> as Service<http::Request<Body>>>::Future,
        RouteFuture<Infallible>,
    >;

    /// Routers are always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        match self {
            Self::Clients(routes) => Either::Left(routes.call(request)),
            Self::Operators(routes) => Either::Right(routes.call(request)),
        }
    }
}

impl Service<http::Request<Body>> for ClientRoutes {
    type Response = Response;
    type Error = Infallible;
    type Future =
        Either<Map<Answer, fn(Response) -> Result<Response, Infallible>>, RouteFuture<Infallible>>;

    /// Routers are always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let is_at = |(path, _): &&(&str, ChatEndpoint)| *path == request.uri().path();
        match self.chats.iter().find(is_at) {
            Some((_, chat)) if request.method() == Method::POST => {
                let answer = chat.clone().answer(request, Arc::clone(&self.gateway));
                Either::Left(answer.map(Ok))
            }
            _ => Either::Right(self.others.call(request)),
        }
    }
}

/// What clients reach.
pub fn clients(gateway: Arc<Gateway>) -> Routes {
    let mut router = Router::new();
    let mut chats = Vec::with_capacity(CHAT.len());
    for (route, dialect) in CHAT {
        let endpoint = ChatEndpoint::new(*dialect, route);
        chats.push((*route, endpoint.clone()));
        // Other methods than POST are told here which it is.
        router = router.route(route, post(endpoint));
    }
    for prefix in MODELS {
        let endpoints = ModelEndpoints::under(prefix);
        let posted = move |state: ingress::Gateway, tail, request| {
            ingress::posted_to_model(endpoints.clone(), state, tail, request)
        };
        let one = format!("{prefix}/{{*tail}}");
        router = router
            .route(prefix, get(ingress::list_models))
            .route(&one, get(ingress::retrieve_model).post(posted));
    }
    for operation in OPERATIONS {
        let path = format!("/v1{}", operation.path);
        let route = Route::new("openai", &path);
        let carried = move |state: ingress::Gateway, request| {
            ingress::carried(route.clone(), operation, state, request)
        };
        router = router.route(&path, post(carried));
    }
    for (path, shape) in RERANK {
        let route = Route::new("rerank", path);
        let rerank = move |state: ingress::Gateway, request| {
            ingress::rerank(route.clone(), *shape, state, request)
        };
        router = router.route(path, post(rerank));
    }
    let route = Route::new("openai", "/v1/embeddings");
    let embeddings =
        move |state: ingress::Gateway, request| ingress::embeddings(route.clone(), state, request);
    let route = Route::new("anthropic", "/v1/messages/count_tokens");
    let count_tokens = move |state: ingress::Gateway, request| {
        ingress::count_tokens(route.clone(), state, request)
    };
    let tails = ServedTails::new(CHAT);
    let forwarded = move |state: ingress::Gateway, path, request| {
        ingress::forwarded(tails.clone(), state, path, request)
    };
    let router = router
        .route("/v1/messages/count_tokens", post(count_tokens))
        .route("/v1/embeddings", post(embeddings))
        .route("/egress/{name}", any(ingress::egress))
        .route("/egress/{name}/", any(ingress::egress))
        .route("/egress/{name}/{*path}", any(ingress::egress))
        // Less particular than all others: it takes what none of them does.
        .route("/v1/{model}/{*tail}", any(forwarded))
        .route("/", get(ingress::health))
        .route("/health", get(ingress::health))
        .route("/health_check", get(ingress::health))
        .route("/ready", get(ingress::ready))
        .fallback(ingress::unknown_url)
        .method_not_allowed_fallback(ingress::method_not_allowed)
        .with_state(Arc::clone(&gateway));
    let routes = ClientRoutes {
        chats: chats.into(),
        gateway: Arc::clone(&gateway),
        others: router,
    };
    Routes::Clients(ingress::TellRates(gateway).layer(ingress::CatchPanics.layer(routes)))
}
