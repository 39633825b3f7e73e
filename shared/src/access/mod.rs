//! Who may do what on the operators' side.

mod area;
mod role;

pub use area::Area;
pub use role::Role;
