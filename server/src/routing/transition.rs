//! Changes of what is known of a provider, worth a line in the log.

use std::fmt;
use std::sync::Arc;

/// Something became usable, or ceased to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    pub what: Subject,
    /// The provider's name.
    pub provider: Arc<str>,
    /// The upstream's name of the model, where it is about one.
    pub model: Option<Arc<str>>,
    /// The number of the key, from 0, where it is about one.
    pub key: Option<usize>,
    pub from: &'static str,
    pub to: &'static str,
    /// Why: an error's kind, or what a check found.
    pub reason: String,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A target's: `closed`, `open`, `half_open`.
    Breaker,
    /// One of a provider's: `usable`, `out`.
    Key,
    /// `up`, `down`.
    Provider,
}

/// Is told of every transition. Called while a request waits: it must be quick.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Transition) + Send + Sync>);

impl Observer {
    pub fn new(observe: impl Fn(&Transition) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    pub(super) fn tell(&self, transition: &Transition) {
        (self.0)(transition);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
