//! Somebody who may use the gateway.

use std::net::IpAddr;
use std::sync::Arc;

use crate::routing::Access;
use crate::selection::Subject;

/// Somebody who may use the gateway.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The client key; `None` on an open gateway.
    pub key: Option<Arc<KeyInForce>>,
    /// Where the request comes from, as far as trusted proxies say.
    pub address: Option<IpAddr>,
    /// What the model is called that decides who answers the request under way, where the client wrote another name.
    pub known_as: Option<Arc<str>>,
}

/// A client key, as requests with it meet it.
#[derive(Debug)]
pub struct KeyInForce {
    pub name: Arc<str>,
    pub project: Option<Arc<str>>,
    /// What it may ask for, and its project may; `None`: everything.
    pub access: Option<Access>,
}

impl Caller {
    /// The key's name.
    pub fn key_name(&self) -> Option<&Arc<str>> {
        self.key.as_ref().map(|key| &key.name)
    }

    pub fn project(&self) -> Option<&Arc<str>> {
        self.key.as_ref()?.project.as_ref()
    }

    /// What the caller is limited to.
    pub fn access(&self) -> Option<&Access> {
        self.key.as_ref()?.access.as_ref()
    }

    /// What rules select requests of the caller's by.
    pub fn subject<'a>(&'a self, model: Option<&'a str>) -> Subject<'a> {
        Subject {
            key: self.key_name().map(|name| &**name),
            project: self.project().map(|name| &**name),
            model,
            known_as: self.known_as.as_deref().filter(|_| model.is_some()),
            address: self.address,
        }
    }
}
