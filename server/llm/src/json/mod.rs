//! Reading JSON in place and changing parts of it without touching the rest.

mod scan;
mod splice;
mod string;

pub use scan::{Items, JsonError, Kind, Members, Scanner, Span};
pub use splice::{Edit, Object, splice};
pub use string::{JsonStr, quote};
