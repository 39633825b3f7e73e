//! A chat endpoint: a place where clients of a dialect find the gateway.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::handler::Handler;
use axum::response::Response;
use llm::chat::Variant;
use llm::dialect::ChatDialect;

use super::chat;
use crate::gateway::Gateway;

/// A route under which a dialect is spoken: axum's handler for it.
#[derive(Clone, Debug)]
pub struct ChatEndpoint(Arc<Mounted>);

/// The endpoint, with its names as records share them.
#[derive(Debug)]
pub(super) struct Mounted {
    pub dialect: &'static dyn ChatDialect,
    pub name: Arc<str>,
    pub route: Arc<str>,
}

/// What the path and the query of a request say, where they do.
#[derive(Clone, Debug, Default)]
pub(super) struct SaidByPath {
    pub model: Option<String>,
    pub stream: Option<bool>,
    pub variant: Variant,
}

impl ChatEndpoint {
    /// `route` is what records call it: `/v1/chat/completions`.
    pub fn new(dialect: &'static dyn ChatDialect, route: &str) -> Self {
        Self(Arc::new(Mounted {
            dialect,
            name: dialect.protocol().as_str().into(),
            route: route.into(),
        }))
    }

    pub(super) fn mounted(&self) -> Arc<Mounted> {
        Arc::clone(&self.0)
    }

    /// Answers a request of which the path has said something.
    pub(super) async fn respond(
        &self,
        gateway: &Gateway,
        said: SaidByPath,
        request: http::Request<Body>,
    ) -> Response {
        chat::respond(gateway, &self.0, said, request).await
    }

    /// Answers a request of which the path says nothing.
    pub fn answer(self, request: http::Request<Body>, gateway: Arc<Gateway>) -> Answer {
        boxed(move || async move {
            chat::respond(&gateway, &self.0, SaidByPath::default(), request).await
        })
    }
}

/// An answer to come.
pub type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

impl Handler<(), Arc<Gateway>> for ChatEndpoint {
    type Future = Answer;

    fn call(self, request: http::Request<Body>, gateway: Arc<Gateway>) -> Self::Future {
        self.answer(request, gateway)
    }
}

/// A future made in its box. Made first, all of its kilobytes would be copied there.
fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    let room = Box::new_uninit();
    Box::into_pin(Box::write(room, make()))
}
