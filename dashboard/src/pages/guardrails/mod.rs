//! Guardrails: the rules in their order, a form for each kind, and a tester.

mod check_fields;
mod fields;
mod kinds;
mod list;
mod page;
mod report;
mod tester;

pub use list::{RuleRow, Rules};
pub use page::GuardrailPage;
