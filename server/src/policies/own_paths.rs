//! Paths of the operator's own, as requests meet them.

use std::collections::HashMap;

use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Request, Uri};

use crate::config::Route;

/// Where each leads.
#[derive(Debug, Default)]
pub struct OwnPaths(HashMap<String, (&'static str, HeaderValue)>);

/// Chooses a provider by its configured name.
const PROVIDER_HEADER: HeaderName = HeaderName::from_static("x-llm-provider");

impl OwnPaths {
    pub fn new(routes: &[Route]) -> Self {
        let routes = routes.iter().filter_map(|route| {
            let provider = HeaderValue::from_str(&route.provider).ok()?;
            Some((route.path.clone(), (route.dialect.path(), provider)))
        });
        Self(routes.collect())
    }

    /// Sends a request at one of the paths to where its dialect is served, with the provider as if the client had
    /// chosen it. All others stay as they are.
    pub fn redirect<B>(&self, request: &mut Request<B>) {
        if self.0.is_empty() {
            return;
        }
        let Some((path, provider)) = self.0.get(request.uri().path()) else {
            return;
        };
        let target = match request.uri().query() {
            Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
            None => Ok(PathAndQuery::from_static(path)),
        };
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = target.ok();
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
            let headers = request.headers_mut();
            headers
                .entry(PROVIDER_HEADER)
                .or_insert_with(|| provider.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Dialect;

    #[test]
    fn only_its_own_are_redirected() {
        let routes = [Route {
            path: "/claude".to_owned(),
            dialect: Dialect::Anthropic,
            provider: "up".to_owned(),
        }];
        let paths = OwnPaths::new(&routes);
        for (uri, chosen, path, provider) in [
            ("/claude", None, "/v1/messages", Some("up")),
            (
                "/claude?beta=true",
                None,
                "/v1/messages?beta=true",
                Some("up"),
            ),
            ("/claude", Some("mine"), "/v1/messages", Some("mine")),
            ("/claude/x", None, "/claude/x", None),
            ("/v1/messages", None, "/v1/messages", None),
        ] {
            let mut request = Request::builder().uri(uri);
            if let Some(name) = chosen {
                request = request.header(PROVIDER_HEADER, name);
            }
            let mut request = request.body(()).unwrap();
            paths.redirect(&mut request);
            assert_eq!(request.uri().path_and_query().unwrap().as_str(), path);
            let found = request.headers().get(PROVIDER_HEADER);
            assert_eq!(
                found.map(|value| value.to_str().unwrap()),
                provider,
                "{uri}"
            );
        }
    }
}
