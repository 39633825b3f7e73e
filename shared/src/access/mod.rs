//! Who may do what on the operators' side.

mod api;
mod area;
mod grant;
mod role;
mod session;
mod token;
mod user;

pub use api::AccessApi;
pub use area::Area;
pub use grant::Grant;
pub use role::Role;
pub use session::SessionEntry;
pub use token::{MadeToken, NewToken, TokenEntry};
pub use user::{Me, PasswordChange, UserEntry, UserSettings, UserThen, UserVersion};
