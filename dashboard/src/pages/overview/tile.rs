//! One figure, large, with what belongs to it and how it changed.

use leptos::prelude::*;

/// What a rise means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rise {
    /// Unwelcome: errors and delays.
    Bad,
    /// Neither: traffic and what it costs.
    Plain,
}

/// How a figure changed since the previous period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `+12%`; with the sign that tells it without colour.
    pub text: String,
    pub tone: &'static str,
}

impl Change {
    /// The change from `before` to `now`; `None` where there is nothing to compare with.
    pub fn between(before: Option<f64>, now: Option<f64>, rise: Rise) -> Option<Self> {
        let (before, now) = (before?, now?);
        if before <= 0.0 {
            return None;
        }
        let percent = (now - before) / before * 100.0;
        let text = match percent {
            p if p.abs() < 0.5 => "±0%".to_owned(),
            p if p > 999.0 => format!("×{:.0}", now / before),
            p if p > 0.0 => format!("+{p:.0}%"),
            p => format!("−{:.0}%", p.abs()),
        };
        let tone = match (rise, percent) {
            (Rise::Plain, _) => "even",
            (_, p) if p.abs() < 0.5 => "even",
            (Rise::Bad, p) if p > 0.0 => "worse",
            (Rise::Bad, _) => "better",
        };
        Some(Self { text, tone })
    }
}

#[component]
pub fn Tile(
    label: &'static str,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] change: Signal<Option<Change>>,
    /// Names with their figures, below the large one.
    #[prop(into)]
    details: Signal<Vec<(&'static str, String)>>,
) -> impl IntoView {
    let change = move || {
        change.get().map(|change| {
            view! {
                <span class=format!("change {}", change.tone)>
                    {change.text}
                    <span class="visually-hidden">" from the period before"</span>
                </span>
            }
        })
    };
    let details = move || {
        details
            .get()
            .into_iter()
            .map(|(name, text)| {
                view! {
                    <div>
                        <dt>{name}</dt>
                        <dd>{text}</dd>
                    </div>
                }
            })
            .collect_view()
    };
    view! {
        <section class="card tile">
            <h2>{label}</h2>
            <p class="tile-value">
                <span class="figure">{move || value.get()}</span>
                {change}
            </p>
            <dl>{details}</dl>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::{Change, Rise};

    #[test]
    fn changes_have_a_sign_and_a_tone() {
        for (before, now, rise, text, tone) in [
            (100.0, 112.0, Rise::Plain, "+12%", "even"),
            (100.0, 50.0, Rise::Bad, "−50%", "better"),
            (100.0, 150.0, Rise::Bad, "+50%", "worse"),
            (100.0, 100.2, Rise::Bad, "±0%", "even"),
            (1.0, 40.0, Rise::Bad, "×40", "worse"),
        ] {
            let change = Change::between(Some(before), Some(now), rise).expect("comparable");
            assert_eq!((change.text.as_str(), change.tone), (text, tone));
        }
    }

    #[test]
    fn nothing_is_compared_with_nothing() {
        assert_eq!(Change::between(None, Some(1.0), Rise::Plain), None);
        assert_eq!(Change::between(Some(0.0), Some(1.0), Rise::Plain), None);
        assert_eq!(Change::between(Some(1.0), None, Rise::Plain), None);
    }
}
