//! How much of an allowance is used: a text, and a bar for it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// `120 of 120 requests`, and its part.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Used {
    pub text: String,
    /// In thousandths of what is allowed.
    pub permille: u16,
    /// `until 14:05:09 UTC`.
    pub resets: Option<String>,
}

impl Used {
    pub fn show(self) -> AnyView {
        let resets = self
            .resets
            .map(|resets| view! { <span class="sub">{resets}</span> });
        view! {
            <div class="used">
                <span>{self.text.clone()}</span>
                // From 80 % on it is nearly used up, at 100 % it is.
                <meter
                    min="0"
                    low="800"
                    high="999"
                    max="1000"
                    optimum="0"
                    value=self.permille.to_string()
                    aria-label=self.text
                ></meter>
                {resets}
            </div>
        }
        .into_any()
    }
}
