//! Where policies are edited.

use shared::policies::PolicyKind;

/// The pages with forms: they take `POST`s.
pub const FORM_PATHS: [&str; 5] = [
    "/system-prompt",
    "/guardrails",
    "/limits",
    "/cache",
    "/keys",
];

/// The page with all policies of a kind.
pub fn list_path(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Key => "/keys",
        PolicyKind::Project => "/keys?view=projects",
        PolicyKind::Limit => "/limits",
        PolicyKind::Budget => "/limits?view=budgets",
        PolicyKind::Guardrail => "/guardrails",
        PolicyKind::SystemPrompt => "/system-prompt",
        PolicyKind::Cache => "/cache",
        // Edited over the admin API.
        _ => "/",
    }
}
