//! Reading JSON in place, changing parts of it without touching the rest, and writing it.

pub mod canonical;
mod compact;
mod mark;
mod node;
mod scan;
mod splice;
mod string;
mod write;

pub use mark::mark;
pub use node::{Json, Node, Problem, ShapeError};
pub use scan::{Items, JsonError, Kind, Members, Scanner, Span};
pub use splice::{Edit, Object, remove_items, splice};
pub use string::{JsonStr, quote};
pub use write::{ArrayWriter, ObjectWriter, Writer, append_object, object};
