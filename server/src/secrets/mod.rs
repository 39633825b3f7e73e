//! Secrets that operators give while the gateway runs: encrypted in the database, shown masked, never logged.

mod key;
mod mask;
mod sealed;
mod vault;

pub use key::{Key, KeyError};
pub use mask::{is_masked, masked};
pub use sealed::{Place, SealedSecret};
pub use vault::Vault;
