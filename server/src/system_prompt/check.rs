//! Whether a system prompt makes sense.

use shared::policies::{FieldError, SystemPrompt};

use super::template::Template;

/// Beyond that it is no prompt any more: every request carries it.
const LONGEST: usize = 256 << 10;

/// What is wrong with a system prompt, by its fields.
pub fn check(prompt: &SystemPrompt) -> Vec<FieldError> {
    let message = if prompt.text.trim().is_empty() {
        "missing; say what models are told".to_owned()
    } else if prompt.text.len() > LONGEST {
        "must be at most 256 KiB long".to_owned()
    } else {
        match Template::parse(&prompt.text) {
            Ok(_) => return Vec::new(),
            Err(message) => message,
        }
    };
    vec![FieldError {
        field: "text".to_owned(),
        message,
    }]
}
