//! What an operator must know, whatever page is open.

use leptos::prelude::*;
use shared::status::GatewayStatus;

use super::status::use_gateway;
use crate::format;

#[component]
pub fn Notices() -> impl IntoView {
    let gateway = use_gateway();
    view! {
        <Transition>
            <div class="notices" role="status">
                {move || {
                    match gateway.get() {
                        None => Vec::new(),
                        Some(Ok(status)) => notices(&status),
                        Some(Err(error)) => {
                            vec![Notice { level: "bad", title: "No status", text: error.to_string() }]
                        }
                    }
                        .into_iter()
                        .map(|notice| {
                            view! {
                                <p class=format!("notice {}", notice.level)>
                                    <strong>{notice.title}</strong>
                                    <span>{notice.text}</span>
                                </p>
                            }
                        })
                        .collect_view()
                }}
            </div>
        </Transition>
    }
    .into_any()
}

#[derive(Debug, PartialEq, Eq)]
struct Notice {
    level: &'static str,
    title: &'static str,
    text: String,
}

/// The worst first; none on a good day.
fn notices(status: &GatewayStatus) -> Vec<Notice> {
    let recording = &status.recording;
    let mut notices = Vec::new();
    let mut add = |level, title, text| notices.push(Notice { level, title, text });

    if let Some(trouble) = &recording.trouble {
        add(
            "bad",
            "Recording is held up",
            format!(
                "The database says: {trouble}. Requests are served on; {} wait on disk, {} in memory.",
                records(recording.spooled),
                format::exact(recording.queued),
            ),
        );
    } else if recording.spooled > 0 {
        add(
            "warn",
            "Catching up",
            format!("{} wait on disk to be written.", records(recording.spooled)),
        );
    }
    if recording.lost > 0 {
        add(
            "bad",
            "Records lost",
            format!(
                "{} since the start: figures are too low by as many.",
                records(recording.lost)
            ),
        );
    }
    if status.open {
        add(
            "warn",
            "Open gateway",
            "No client keys: anyone who reaches the port is served.".to_owned(),
        );
    }
    let enabled = || status.providers.iter().filter(|provider| provider.enabled);
    if enabled().next().is_none() {
        add(
            "bad",
            "No provider",
            "No provider is enabled: every request fails.".to_owned(),
        );
    } else if enabled().all(|provider| provider.simulated) {
        add(
            "info",
            "Simulated",
            "Every provider is simulated: replies are made up by the gateway itself.".to_owned(),
        );
    }
    notices
}

fn records(count: u64) -> String {
    match count {
        1 => "1 record".to_owned(),
        _ => format!("{} records", format::exact(count)),
    }
}
