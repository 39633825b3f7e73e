//! The page: its controls, and its data under a `Transition`.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;
use shared::analytics::OverviewQuery;

use super::empty::Empty;

use super::figures::Figures;
use super::filters::Filters;
use super::live_switch::LiveSwitch;
use super::query::use_overview_query;
use super::range_picker::RangePicker;
use super::skeleton::Skeleton;
use crate::api::{LoadError, Snapshot, load_overview};
use crate::forms::{Failure, Stale};
use crate::live::use_live;

/// The figures of the page, or why there are none.
type Figured = Result<Snapshot, LoadError>;

#[component]
pub fn OverviewPage() -> impl IntoView {
    let query = use_overview_query();
    let live = use_live();
    let resource = Resource::new(
        move || (query.get(), live.ticks()),
        |(query, _)| load_overview(query.range, query.provider, query.model, IN_BROWSER),
    );

    view! {
        <Title text="Overview" />
        <div class="page">
            <div class="page-head">
                <div class="page-title">
                    <h1>"Overview"</h1>
                    <Filters query />
                </div>
                <div class="page-controls">
                    <RangePicker query />
                    <LiveSwitch />
                </div>
            </div>
            <Transition fallback=Skeleton>
                {Suspend::new(async move {
                    resource.ready().await;
                    view! { <Body resource query /> }
                })}
            </Transition>
        </div>
    }
    .into_any()
}

/// The server draws charts in place; the browser asks for drawings.
const IN_BROWSER: bool = cfg!(not(feature = "ssr"));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Failed,
    Empty,
    Full,
}

/// What there is to show. A refresh that fails keeps the last figures and says that they are old.
///
/// It comes into being once there is an answer. A `Memo` that is computed while the answer comes on
/// another thread, as on the server, may miss it for ever: the page would be sent without its
/// figures, and the browser, which has them, would fail to hydrate it.
#[component]
fn Body(resource: Resource<Figured>, query: Memo<OverviewQuery>) -> impl IntoView {
    let last = Memo::new(move |before: Option<&Option<Arc<Snapshot>>>| {
        let before = || before.cloned().flatten();
        match resource.get() {
            Some(Ok(snapshot)) => Some(Arc::new(snapshot)),
            Some(Err(_)) => before().filter(|snapshot| snapshot.overview.query == query.get()),
            None => before(),
        }
    });
    let error = Memo::new(move |_| resource.get().and_then(Result::err));
    let phase = Memo::new(move |_| {
        last.with(|last| match last {
            Some(snapshot) if snapshot.overview.totals.requests > 0 => Phase::Full,
            Some(_) => Phase::Empty,
            None => Phase::Failed,
        })
    });

    move || match phase.get() {
        Phase::Failed => view! { <Failure error /> }.into_any(),
        Phase::Empty => view! { <Empty query /> }.into_any(),
        Phase::Full => {
            let first = last.get_untracked();
            let figures = Memo::new(move |before: Option<&Arc<Snapshot>>| {
                last.get()
                    .or_else(|| before.cloned())
                    .or_else(|| first.clone())
                    .expect("a full page has had figures")
            });
            view! {
                <Stale error />
                <Figures figures />
            }
            .into_any()
        }
    }
}
