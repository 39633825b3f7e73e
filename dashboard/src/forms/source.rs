//! Where a policy comes from.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The configuration file, or an edit.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum SourceBadge {
    /// The configuration says it.
    File,
    /// An operator said it; the configuration says nothing.
    Edited,
    /// An operator said it, and the configuration says something else.
    EditedOverFile,
    /// An operator deleted what the configuration says.
    Deleted,
}

impl SourceBadge {
    #[cfg(feature = "ssr")]
    pub fn of(entry: &shared::policies::PolicyEntry) -> Self {
        if entry.deleted {
            return Self::Deleted;
        }
        match (entry.source, &entry.in_file) {
            (shared::routing::Source::File, _) => Self::File,
            (shared::routing::Source::Edited, None) => Self::Edited,
            (shared::routing::Source::Edited, Some(_)) => Self::EditedOverFile,
        }
    }

    pub fn show(self) -> AnyView {
        let (text, title) = match self {
            Self::File => ("file", "As the configuration says"),
            Self::Edited => ("edited", "Made here; the configuration says nothing of it"),
            Self::EditedOverFile => (
                "edited, over file",
                "Changed here; the configuration says something else",
            ),
            Self::Deleted => ("deleted", "Deleted here; the configuration still says it"),
        };
        view! {
            <span class="tag" title=title>
                {text}
            </span>
        }
        .into_any()
    }
}
