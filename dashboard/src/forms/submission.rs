//! A form that was sent and is shown again: because something is wrong with it, or because there is an answer that is shown
//! this once.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use serde::{Deserialize, Serialize};
use shared::AdminError;
use shared::policies::{FieldError, TestReport};

use super::Values;

/// What was sent, and what became of it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
pub struct Submitted {
    /// Which of the page's forms: its field `form`.
    pub form: String,
    pub values: Values,
    pub outcome: Outcome,
}

/// What became of a form that does not lead to another page.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing was done.
    Refused {
        message: String,
        /// With the names of the form's fields; an empty name: of none of them.
        fields: Vec<FieldError>,
    },
    /// Nothing was done, and nothing is wrong with the form.
    Failed(AdminError),
    /// Nothing was done, for somebody else was quicker.
    Conflict(Conflict),
    /// A client key's secret, which is told this once.
    Secret { key: String, secret: String },
    /// What the guardrails do with a text.
    Tested(TestReport),
}

/// What somebody else made of a policy while it was edited.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Conflict {
    pub message: String,
    /// The version that is in force: to be saved over, if that is wanted. `None`: it cannot be.
    pub over: Option<u64>,
    pub deleted: bool,
    /// The fields in which what is in force is different, and what it has there.
    pub fields: Vec<FieldError>,
}

/// The form that this page answers, if it answers one; forgotten when one goes to another page.
#[derive(Clone, Copy, Debug)]
pub struct Submission(RwSignal<Option<Submitted>>);

impl Submission {
    /// The server has it in context; the browser gets it with the page.
    pub fn start() -> Self {
        let first = SharedValue::new(use_context::<Submitted>);
        Self(RwSignal::new(first.into_inner()))
    }

    pub fn get(self) -> Option<Submitted> {
        self.0.get()
    }

    /// What became of one of the page's forms.
    pub fn of(self, form: &str) -> Option<Submitted> {
        self.0
            .with_untracked(|sent| sent.clone().filter(|sent| sent.form == form))
    }

    /// Forgets it when the page's address changes. For use inside the router.
    pub fn forget_on_leaving(self) {
        let location = use_location();
        Effect::new(move |before: Option<()>| {
            location.pathname.track();
            location.search.track();
            if before.is_some() {
                self.0.set(None);
            }
        });
    }
}

pub fn use_submission() -> Submission {
    expect_context()
}
