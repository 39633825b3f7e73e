//! The clock that refreshes figures without a reload.

use leptos::prelude::*;

/// How often figures are refreshed.
#[cfg(feature = "hydrate")]
const PERIOD: std::time::Duration = std::time::Duration::from_secs(5);

/// A count that rises while the page is live and visible: a resource that has it among its
/// sources is refreshed.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    ticks: RwSignal<u64>,
    on: RwSignal<bool>,
    /// The page answers to clicks: false on the server and until hydration is done.
    awake: RwSignal<bool>,
}

impl Live {
    /// Starts the clock; it does nothing on the server.
    pub fn start() -> Self {
        let live = Self {
            ticks: RwSignal::new(0),
            on: RwSignal::new(true),
            awake: RwSignal::new(false),
        };
        #[cfg(feature = "hydrate")]
        live.run();
        live
    }

    pub fn ticks(self) -> u64 {
        self.ticks.get()
    }

    pub fn is_on(self) -> bool {
        self.on.get()
    }

    pub fn is_awake(self) -> bool {
        self.awake.get()
    }

    pub fn toggle(self) {
        self.on.update(|on| *on = !*on);
        if self.on.get_untracked() {
            self.tick();
        }
    }

    /// Refreshes at once.
    pub fn tick(self) {
        self.ticks.update(|ticks| *ticks += 1);
    }

    #[cfg(feature = "hydrate")]
    fn run(self) {
        Effect::new(move |_| self.awake.set(true));
        let tick = move || {
            if self.on.get_untracked() && !document().hidden() {
                self.tick();
            }
        };
        // A page that comes back into view catches up at once.
        let seen = window_event_listener_untyped("visibilitychange", move |_| tick());
        let clock = set_interval_with_handle(tick, PERIOD);
        on_cleanup(move || {
            seen.remove();
            if let Ok(clock) = clock {
                clock.clear();
            }
        });
    }
}

/// The page's clock.
pub fn use_live() -> Live {
    expect_context()
}
