//! Laws of routing, with time and chance in the tests' hands.

mod access;
mod budgets;
mod failures;
mod fallbacks;
mod hedges;
mod table;
mod weights;
mod world;
