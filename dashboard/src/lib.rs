//! The operator's dashboard: Leptos components, rendered on the server and hydrated in the
//! browser. It knows the types of [`shared`] only; the gateway gives it an [`shared::AdminApi`].
//!
//! - [`app`]: routes; [`mod@shell`]: the HTML document around them.
//! - [`frame`]: what every page has: navigation, state of the gateway, notices, theme, sign out.
//! - [`pages`]: one folder or file a page.
//! - [`forms`]: fields, errors at them, versions; `edits` (on the server) does what a form asks for.
//! - [`viewer`]: whether whoever looks may change anything.
//! - [`charts`]: charts drawn with charts-rs, their legends, hover values and data tables.
//! - [`api`]: the server functions; [`live`]: the clock that refreshes them; [`mod@format`]: figures as text.

pub mod api;
pub mod app;
pub mod charts;
#[cfg(feature = "ssr")]
pub mod edits;
pub mod format;
pub mod forms;
pub mod frame;
pub mod href;
#[cfg(feature = "ssr")]
pub mod listings;
pub mod live;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod theme;
pub mod viewer;

pub use app::App;
#[cfg(feature = "ssr")]
pub use shell::{Site, shell};

/// Brings the page that the server rendered to life.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(App);
}
