//! Who calls: from a request's credentials to a [`Caller`].

mod caller;
mod counts;
mod secret;
mod table;

pub use caller::{Caller, KeyInForce};
pub use counts::{AuthCounts, AuthResult};
pub use secret::{KeySecret, NewSecret, digest};
pub use table::{KeySecrets, KeyTable};
