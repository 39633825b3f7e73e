//! Who may use the gateway: client keys, and projects that group them.

mod fields;
mod list;
mod open;
mod page;
mod secret;

pub use fields::{ALLOWANCES, RATES};
pub use list::{KeyRow, Keys, KeysWanted};
pub use page::KeyPage;
