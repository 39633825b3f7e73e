//! System prompts.

use shared::policies::{Position, SystemPrompt};

use super::{Fields, selector, word};
use crate::forms::Values;

pub fn write(prompt: &SystemPrompt) -> Values {
    let mut values = Values::default();
    values.tick("enabled", prompt.enabled);
    values.put("text", prompt.text.clone());
    values.put("position", word(prompt.position));
    values.put("order", prompt.order.to_string());
    selector::write(&prompt.applies_to, "applies_to.", &mut values);
    values
}

pub fn read(fields: &Fields<'_>) -> SystemPrompt {
    if fields.some("text").is_none() {
        fields.wrong("text", "Write what models are told.");
    }
    SystemPrompt {
        enabled: fields.is_on("enabled"),
        applies_to: selector::read(fields, "applies_to."),
        order: fields.number("order").unwrap_or_default(),
        text: fields.text("text"),
        position: fields.choice("position"),
    }
}

pub fn describe(prompt: &SystemPrompt) -> String {
    [
        Some(position(prompt.position).to_owned()),
        selector::describe(&prompt.applies_to),
        (!prompt.enabled).then(|| "disabled".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ")
}

pub fn position(position: Position) -> &'static str {
    match position {
        Position::After => "after the client’s",
        Position::Before => "before the client’s",
        Position::Replace => "in place of the client’s",
    }
}
