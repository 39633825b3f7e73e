//! Whether something is in force, in a word.

use leptos::prelude::*;

pub fn enabled_pill(enabled: bool) -> AnyView {
    let (class, text) = if enabled {
        ("pill good", "on")
    } else {
        ("pill", "off")
    };
    view! { <span class=class>{text}</span> }.into_any()
}
