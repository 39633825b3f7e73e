//! What the operator tells every model.

mod check;
mod template;

pub use check::check;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use llm::chat::{ChatRequest, Protocol};
use llm::dialects::OwnPrompt;
use llm::error::ApiError;
use shared::policies::{Position, SystemPrompt};

use self::template::Template;
use crate::selection::{Selection, Subject};

/// The operator's system prompts, in the order in which they are told.
#[derive(Clone, Debug, Default)]
pub struct SystemPrompts {
    selection: Selection<(Position, Template)>,
}

/// What one request is told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The request in place of the client's, where something goes before its own prompt, or instead of it.
    pub request: Option<Box<ChatRequest>>,
    /// After what the client says; the codec knows where that is.
    pub after: Option<Arc<str>>,
}

/// The texts for one request, by their places.
#[derive(Debug, Default)]
struct Texts {
    before: Option<Arc<str>>,
    replacing: Option<Arc<str>>,
    after: Option<Arc<str>>,
}

impl SystemPrompts {
    /// Blank text is no prompt, nor is one that [`check()`] refuses.
    pub fn new(prompts: &BTreeMap<String, SystemPrompt>) -> Self {
        let mut said: Vec<_> = prompts
            .iter()
            .filter(|(_, prompt)| prompt.enabled && !prompt.text.trim().is_empty())
            .collect();
        said.sort_by_key(|(name, prompt)| (prompt.order, *name));
        let said = said.into_iter().filter_map(|(_, prompt)| {
            let template = Template::parse(&prompt.text).ok()?;
            Some((prompt.applies_to.clone(), (prompt.position, template)))
        });
        Self {
            selection: said.collect(),
        }
    }

    /// What a request is told. All that stands in one place is one text, with empty lines between.
    ///
    /// # Errors
    /// The client's own prompt cannot be read where something goes before it.
    pub fn tell(&self, subject: Subject<'_>, request: &ChatRequest) -> Result<Told, ApiError> {
        if self.selection.is_empty() {
            return Ok(Told::default());
        }
        self.texts(subject, Utc::now()).tell(request)
    }

    /// Whether there are any for such a request.
    pub fn are_for(&self, subject: Subject<'_>) -> bool {
        self.selection.matching(subject).next().is_some()
    }

    fn texts(&self, subject: Subject<'_>, at: DateTime<Utc>) -> Texts {
        let mut texts = Texts::default();
        for (position, template) in self.selection.matching(subject) {
            let place = match position {
                Position::After => &mut texts.after,
                Position::Before => &mut texts.before,
                Position::Replace => &mut texts.replacing,
            };
            let text = template.text(&subject, at);
            *place = joined(place.take(), Some(text));
        }
        texts
    }
}

impl Texts {
    fn tell(self, request: &ChatRequest) -> Result<Told, ApiError> {
        let Self {
            before,
            replacing,
            after,
        } = self;
        // A text that is to be continued has no prompt of its own that something could stand before, or instead of.
        let continued = request.protocol == Protocol::OpenAiCompletions;
        if replacing.is_some() || continued {
            let changed = match &replacing {
                Some(_) if !continued => Some(request.with_own_prompt(OwnPrompt::Removed)?),
                _ => None,
            };
            return Ok(Told {
                request: changed.map(Box::new),
                after: joined(joined(before, replacing), after),
            });
        }
        let changed = before.map(|text| request.with_own_prompt(OwnPrompt::After(&text)));
        Ok(Told {
            request: changed.transpose()?.map(Box::new),
            after,
        })
    }
}

fn joined(one: Option<Arc<str>>, other: Option<Arc<str>>) -> Option<Arc<str>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(format!("{one}\n\n{other}").into()),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use llm::dialect::{ChatDialect, Incoming};
    use llm::dialects::openai_chat::OpenAiChat;
    use shared::policies::Selector;

    use super::*;

    fn prompts(list: &[(&str, i32, Position, &str, &[&str])]) -> SystemPrompts {
        let prompts = list.iter().map(|(name, order, position, text, keys)| {
            let prompt = SystemPrompt {
                enabled: true,
                order: *order,
                position: *position,
                text: (*text).to_owned(),
                applies_to: Selector {
                    keys: keys.iter().map(|&key| key.to_owned()).collect(),
                    ..Selector::default()
                },
            };
            ((*name).to_owned(), prompt)
        });
        SystemPrompts::new(&prompts.collect())
    }

    fn told(prompts: &SystemPrompts, key: &str) -> (String, Option<String>) {
        let body = r#"{"model":"m","messages":[{"role":"system","content":"S"}]}"#;
        let request = OpenAiChat.decode_request(Incoming::of(body)).unwrap();
        let subject = Subject {
            key: Some(key),
            ..Subject::default()
        };
        let told = prompts.tell(subject, &request).unwrap();
        let changed = told.request.as_deref().unwrap_or(&request);
        let messages: serde_json::Value = serde_json::from_slice(&changed.body).unwrap();
        let said = messages["messages"].as_array().unwrap().iter();
        let said: Vec<_> = said.map(|one| one["content"].as_str().unwrap()).collect();
        (said.join("|"), told.after.map(|text| text.to_string()))
    }

    #[test]
    fn each_goes_to_its_place_in_order() {
        let all = prompts(&[
            ("a", 2, Position::After, "a2", &[]),
            ("b", 1, Position::After, "b1 {{key}}", &[]),
            ("c", 0, Position::Before, "c", &["x"]),
            ("d", -1, Position::Before, "d", &["x"]),
            ("e", 0, Position::Replace, "e", &["y"]),
            ("f", 0, Position::After, "  ", &[]),
        ]);
        assert_eq!(
            told(&all, "z"),
            ("S".to_owned(), Some("b1 z\n\na2".to_owned()))
        );
        assert_eq!(
            told(&all, "x"),
            ("d\n\nc|S".to_owned(), Some("b1 x\n\na2".to_owned()))
        );
        assert_eq!(
            told(&all, "y"),
            (String::new(), Some("e\n\nb1 y\n\na2".to_owned()))
        );
        assert_eq!(told(&SystemPrompts::default(), "x"), ("S".to_owned(), None));
    }
}
