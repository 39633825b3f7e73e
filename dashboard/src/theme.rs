//! Light, dark, or as the system has it. The choice is a cookie, so that the server renders the
//! right one at once: nothing flashes, and it works without JavaScript.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::api::LoadError;

#[cfg(feature = "ssr")]
const COOKIE: &str = "theme";

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The name in the cookie and in the document's `data-theme`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// The value of the document's `data-theme`: none follows the system.
    pub fn attribute(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.as_str())
    }

    fn named(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|theme| theme.as_str() == name)
            .unwrap_or_default()
    }

    fn cookie(self) -> String {
        format!(
            "theme={}; Path=/; Max-Age=31536000; SameSite=Lax",
            self.as_str()
        )
    }

    /// The theme of the page being rendered.
    #[cfg(feature = "ssr")]
    pub fn current() -> Self {
        use_context::<http::request::Parts>()
            .and_then(|request| {
                let cookies = request.headers.get(http::header::COOKIE)?.to_str().ok()?;
                cookies
                    .split(';')
                    .filter_map(|cookie| cookie.trim().split_once('='))
                    .find(|(name, _)| *name == COOKIE)
                    .map(|(_, value)| Self::named(value))
            })
            .unwrap_or_default()
    }

    /// The theme of the page being shown.
    #[cfg(not(feature = "ssr"))]
    pub fn current() -> Self {
        document()
            .document_element()
            .and_then(|html| html.get_attribute("data-theme"))
            .map(|name| Self::named(&name))
            .unwrap_or_default()
    }

    /// Shows this theme now and remembers it.
    #[cfg(feature = "hydrate")]
    pub fn apply(self) {
        use wasm_bindgen::JsCast;

        let document = document();
        if let Some(html) = document.document_element() {
            // Fails only for names that are no attribute names.
            let _ = match self.attribute() {
                Some(name) => html.set_attribute("data-theme", name),
                None => html.remove_attribute("data-theme"),
            };
        }
        if let Some(document) = document.dyn_ref::<web_sys::HtmlDocument>() {
            let _ = document.set_cookie(&self.cookie());
        }
    }

    /// On the server a form does this.
    #[cfg(not(feature = "hydrate"))]
    pub fn apply(self) {}
}

/// Remembers a theme; a form without JavaScript comes here and goes back to its page.
#[server(name = SetTheme, prefix = "/ui/api", endpoint = "theme")]
pub async fn set_theme(theme: Theme) -> Result<(), LoadError> {
    if let (Some(response), Ok(cookie)) = (
        use_context::<leptos_axum::ResponseOptions>(),
        http::HeaderValue::from_str(&theme.cookie()),
    ) {
        response.append_header(http::header::SET_COOKIE, cookie);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Theme;

    #[test]
    fn names_come_back() {
        for theme in Theme::ALL {
            assert_eq!(Theme::named(theme.as_str()), theme);
        }
        assert_eq!(Theme::named("neon"), Theme::System);
    }
}
