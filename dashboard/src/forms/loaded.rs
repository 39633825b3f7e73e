//! What a page has loaded, under a `Transition`.

use leptos::prelude::*;

use super::{Failure, Stale};
use crate::api::LoadError;

/// Shows what came. When a refresh fails, the last that came stays, and a line says that it is old.
///
/// The view comes into being when the data is there, and anew with each refresh: nothing is derived from a resource that is
/// pending, which on the server may miss what comes.
pub fn loaded<T>(
    resource: Resource<Result<T, LoadError>>,
    show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
{
    let last = StoredValue::new(None::<T>);
    view! {
        <Transition fallback=Waiting>
            {move || {
                let show = show.clone();
                Suspend::new(async move {
                match resource.await {
                    Ok(value) => {
                        last.set_value(Some(value.clone()));
                        show(value)
                    }
                    Err(error) => {
                        let shown = last.get_value().map(show);
                        let error = Signal::stored(Some(error));
                        match shown {
                            Some(shown) => view! { <Stale error /> {shown} }.into_any(),
                            None => view! { <Failure error reload=true /> }.into_any(),
                        }
                    }
                }
                })
            }}
        </Transition>
    }
    .into_any()
}

/// The shape of what comes.
#[component]
fn Waiting() -> impl IntoView {
    view! {
        <p class="visually-hidden" role="status">
            "Loading"
        </p>
        <div class="card ghost waiting" aria-hidden="true"></div>
    }
    .into_any()
}
