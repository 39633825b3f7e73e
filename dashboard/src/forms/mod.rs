//! Forms that work with a script and without: plain `POST`s to the page that they are on.
//!
//! What came of one is either another page, or this one again with a [`Submitted`]: the server renders it with what was sent
//! and what is wrong with it, and the browser gets the same to hydrate it.

mod confirm;
mod copied;
mod editor;
mod enabled;
mod failure;
mod field;
mod form;
mod groups;
mod loaded;
mod new_link;
mod notice;
mod rows;
mod source;
mod submission;
mod tabs;
mod used;
mod values;
mod versions;

pub use confirm::Confirm;
pub use copied::Copied;
pub use editor::{Editing, Editor, EditorPage, InFile, back_link, editor_card};
pub use enabled::enabled_pill;
pub use failure::{Failure, Stale};
pub use field::Field;
pub use form::{Form, element_id};
pub use groups::{allowance_fields, rate_fields, selector_fields};
pub use loaded::loaded;
pub use new_link::new_link;
pub use notice::{Done, Refusal};
pub use rows::Rows;
pub use source::SourceBadge;
pub use submission::{Conflict, Outcome, Submission, Submitted, use_submission};
pub use tabs::Tabs;
pub use used::Used;
pub use values::Values;
pub use versions::{Version, Versions};
