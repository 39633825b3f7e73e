//! `[system_prompt]` and `[[system_prompts]]`: what models are told.

use std::collections::BTreeMap;

use shared::policies::{Position, Selector, SystemPrompt};

use super::reading::{Section, Words};
use super::selector;
use crate::system_prompt::check;

/// The name of the prompt that `[system_prompt]` is.
pub const DEFAULT_PROMPT: &str = "default";

/// All of them, by their names.
pub(super) fn read_all(root: &mut Section<'_, '_>) -> BTreeMap<String, SystemPrompt> {
    let default = root.section("system_prompt", |section| {
        let text: Option<String> = section.optional("text");
        let prompt = read(section, text.unwrap_or_default(), Selector::default());
        (!prompt.text.trim().is_empty()).then_some(prompt)
    });
    let mut prompts =
        BTreeMap::from_iter(default.map(|prompt| (DEFAULT_PROMPT.to_owned(), prompt)));
    let others = root.named_list("system_prompts", None, |section, name| {
        let text = section.required("text");
        let applies_to = selector::read(section);
        let prompt = read(section, text, applies_to);
        (name, prompt, section.path_of("name"))
    });
    for (name, prompt, path) in others.unwrap_or_default() {
        if prompts.contains_key(&name) {
            let message = if name == DEFAULT_PROMPT {
                "[system_prompt] is called that; give this one another name".to_owned()
            } else {
                format!("there are two system prompts called \"{name}\"")
            };
            root.reader().problem(&path, message);
        }
        prompts.insert(name, prompt);
    }
    prompts
}

fn read(section: &mut Section<'_, '_>, text: String, applies_to: Selector) -> SystemPrompt {
    let prompt = SystemPrompt {
        enabled: section.value("enabled", true),
        applies_to,
        order: section.value("order", 0),
        text,
        position: section.value("position", Position::default()),
    };
    if !prompt.text.trim().is_empty() {
        for error in check(&prompt) {
            let path = section.path_of(&error.field);
            section.reader().problem(&path, error.message);
        }
    }
    prompt
}

impl Words for Position {
    const NOUN: &'static str = "position";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("after", Self::After),
        ("before", Self::Before),
        ("replace", Self::Replace),
    ];
}
