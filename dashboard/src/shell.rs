//! The HTML document around the app, and its content security policy; other headers are the server's.

use http::HeaderValue;
use http::header::CONTENT_SECURITY_POLICY;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

use crate::app::App;
use crate::theme::Theme;
use crate::viewer::role;

/// The built site, as far as there is one: pages render without it, but stay as they are.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The name that the script, the WASM and the stylesheet share: `dashboard-<hash>`.
    pub name: Option<String>,
}

/// The document. Its content security policy allows the site's own files and the scripts that
/// carry this response's nonce, nothing else.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let site = use_context::<Site>().unwrap_or_default();
    let theme = Theme::current();
    set_policy();

    let stylesheet = site
        .name
        .as_ref()
        .map(|name| view! { <link rel="stylesheet" href=format!("/pkg/{name}.css") /> });
    let scripts = site
        .name
        .is_some()
        .then(|| view! { <HydrationScripts options=options.clone() /> });

    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.attribute() data-role=role().as_str()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex" />
                <link rel="icon" href=FAVICON type="image/svg+xml" />
                {stylesheet}
                {scripts}
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The product's mark, as a data URL: there is no file to ask for, hence no 404 either.
const FAVICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Crect width='24' height='24' rx='6' fill='%233157d5'/%3E%3Cpath d='M6 8h4l4 8h4M6 16h4l1.2-2.4M14 8h4' fill='none' stroke='%23fff' stroke-width='2' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";

fn set_policy() {
    let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), use_nonce()) else {
        return;
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}
