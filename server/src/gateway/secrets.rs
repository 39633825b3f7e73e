//! What no message may show.

use std::sync::Arc;

use crate::config::MASK;
use crate::policies::Upstream;

/// The credentials that a call was made with. Upstreams quote what they were sent, and that must not be how a client
/// learns the gateway's, or the log a client's.
#[derive(Clone, Debug)]
pub struct Secrets {
    pub(super) upstream: Arc<Upstream>,
    /// The client's own, where it was passed on.
    pub(super) client_key: Option<Arc<str>>,
}

impl Secrets {
    /// Takes them out of a message.
    pub fn hide(&self, message: &mut String) {
        self.upstream.hide_secrets(message);
        if let Some(key) = &self.client_key
            && !key.is_empty()
            && message.contains(&**key)
        {
            *message = message.replace(&**key, MASK);
        }
    }
}
