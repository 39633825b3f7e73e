//! What became of a tested text.

use leptos::prelude::*;
use shared::policies::{RuleTest, RuleVerdict, TestReport};

pub fn report(report: TestReport) -> AnyView {
    let rows = report.rules.into_iter().map(row).collect_view();
    let outcome = match (report.text, report.refusal) {
        (Some(text), _) => view! {
            <h3>"This goes on"</h3>
            <pre tabindex="0">{text}</pre>
        }
        .into_any(),
        (None, refusal) => view! {
            <h3>"Blocked: the client is told"</h3>
            <pre tabindex="0">{refusal.unwrap_or_default()}</pre>
        }
        .into_any(),
    };
    view! {
        <div class="outcome" role="status">
            {outcome}
        </div>
        <div class="table-scroll" tabindex="0" role="region" aria-label="What each rule does">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Rule"</th>
                        <th scope="col">"Verdict"</th>
                        <th scope="col">"Found"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn row(rule: RuleTest) -> AnyView {
    let (class, text) = match rule.verdict {
        RuleVerdict::Passed => ("pill good", "passed"),
        RuleVerdict::Flagged => ("pill warn", "flagged"),
        RuleVerdict::Changed => ("pill warn", "changed"),
        RuleVerdict::Blocked => ("pill bad", "blocked"),
        RuleVerdict::Skipped => ("pill", "skipped"),
        RuleVerdict::Failed => ("pill bad", "could not be asked"),
    };
    let shadow = rule
        .shadow
        .then(|| view! { <span class="tag">"shadow"</span> });
    let found = match rule.found.is_empty() {
        true => crate::format::NONE.to_owned(),
        false => rule.found.join(", "),
    };
    view! {
        <tr>
            <th scope="row">{rule.name}</th>
            <td data-label="Verdict" class="states">
                <span>
                    <span class=class>{text}</span>
                    " "
                    {shadow}
                </span>
            </td>
            <td data-label="Found" class="long">
                {found}
            </td>
        </tr>
    }
    .into_any()
}
