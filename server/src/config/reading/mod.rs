//! From a document and the environment to values: each key is asked for once, by the struct it belongs to,
//! which thereby tells its name, type and default. From this follow the names of the environment variables, the
//! unknown keys and the effective configuration.

mod duration;
mod environment;
mod interpolation;
mod list;
mod nearest;
mod reader;
mod scalar;
mod section;

pub use environment::Environment;
pub(super) use environment::variable_part;
pub(super) use nearest::did_you_mean;
pub(super) use reader::Reader;
pub(super) use scalar::{Form, Scalar, Words, quoted};
pub(super) use section::Section;
