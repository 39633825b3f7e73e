//! Who may use the admin listener, and for what.

mod operator;

pub use operator::{Operator, Via};
