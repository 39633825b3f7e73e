//! What every page has around it.

mod brand;
mod endpoint;
mod layout;
mod navigation;
mod notices;
mod providers;
mod status;
mod theme_switch;

pub use brand::Brand;
pub use layout::Frame;
pub use status::{GatewayState, use_gateway};
pub use theme_switch::ThemeSwitch;
