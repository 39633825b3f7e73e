//! The gateway's state: loaded once for the frame, shown in one word.

use leptos::prelude::*;
use shared::status::GatewayStatus;

use crate::api::{LoadError, load_status};
use crate::live::use_live;

/// The gateway's status, for every part of the frame and for pages.
#[derive(Clone, Copy, Debug)]
pub struct GatewayState(Resource<Result<GatewayStatus, LoadError>>);

impl GatewayState {
    /// Loads the status, and again whenever the page is live.
    pub fn load() -> Self {
        let live = use_live();
        Self(Resource::new(move || live.ticks(), |_| load_status()))
    }

    /// `None` while it loads. Read it under a `Transition`.
    pub fn get(self) -> Option<Result<GatewayStatus, LoadError>> {
        self.0.get()
    }

    /// What `show` makes of the status; nothing while it loads or where it cannot be had.
    pub fn map<T>(self, show: impl FnOnce(&GatewayStatus) -> T) -> Option<T> {
        self.0
            .map(|status| status.as_ref().ok().map(show))
            .flatten()
    }
}

/// The frame's gateway.
pub fn use_gateway() -> GatewayState {
    expect_context()
}

/// The state in a word: a page's colour and text for it.
#[component]
pub fn StatusPill() -> impl IntoView {
    let gateway = use_gateway();
    view! {
        <Transition fallback=|| {
            view! { <span class="pill">"…"</span> }
        }>
            {move || {
                let (class, text) = match gateway.get() {
                    None => ("pill", "…"),
                    Some(Ok(status)) => word(&status),
                    Some(Err(_)) => ("pill bad", "No answer"),
                };
                view! { <span class=class>{text}</span> }
            }}
        </Transition>
    }
    .into_any()
}

fn word(status: &GatewayStatus) -> (&'static str, &'static str) {
    let recording = &status.recording;
    if recording.trouble.is_some() {
        ("pill bad", "Not recording")
    } else if recording.lost > 0 {
        ("pill bad", "Records lost")
    } else if !status.providers.iter().any(|provider| provider.enabled) {
        ("pill bad", "No provider")
    } else if recording.spooled > 0 {
        ("pill warn", "Catching up")
    } else if status.open {
        ("pill warn", "Open")
    } else {
        ("pill good", "Serving")
    }
}

#[cfg(test)]
mod tests {
    use shared::status::{GatewayStatus, ProviderStatus, RecordingStatus};

    use super::word;

    #[test]
    fn the_worst_is_said_first() {
        let mut status = GatewayStatus {
            version: "0.1.0".to_owned(),
            started_at: chrono::DateTime::UNIX_EPOCH,
            client_url: "http://127.0.0.1:8080".to_owned(),
            open: false,
            providers: vec![ProviderStatus {
                name: "openai".to_owned(),
                kind: "openai".to_owned(),
                enabled: true,
                simulated: false,
            }],
            recording: RecordingStatus::default(),
        };
        assert_eq!(word(&status).1, "Serving");
        status.open = true;
        assert_eq!(word(&status).1, "Open");
        status.recording.spooled = 4;
        assert_eq!(word(&status).1, "Catching up");
        status.providers[0].enabled = false;
        assert_eq!(word(&status).1, "No provider");
        status.recording.lost = 1;
        assert_eq!(word(&status).1, "Records lost");
        status.recording.trouble = Some("disk full".to_owned());
        assert_eq!(word(&status).1, "Not recording");
    }
}
