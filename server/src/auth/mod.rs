//! Who calls: from a request's credentials to a [`Caller`].

mod caller;
mod check;
mod counts;
mod secret;
mod table;

pub use caller::{Caller, KeyInForce};
pub use check::{check_key, check_project};
pub use counts::{AuthCounts, AuthResult};
pub use secret::{KeySecret, NewSecret, digest, shown};
pub use table::{KeySecrets, KeyTable};
