//! What differs between generations of models: <https://ai.google.dev/gemini-api/docs/thinking>

use crate::chat::{Effort, Reasoning};

/// What a model's name tells of it. Of a name that tells nothing (an alias, a tuned model) it is supposed that it
/// is one of those in use, and what all of them take is what it gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Family {
    /// `2.5`
    generation: Option<f32>,
    pro: bool,
    lite: bool,
    /// It makes images or speech, and does not think.
    speaks: bool,
}

/// How a model is told how much to think.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// Not at all.
    Unable,
    /// `thinkingBudget`, and whether it is not what was asked for.
    Budget(u64, bool),
    /// `thinkingLevel`, and whether it is not what was asked for.
    Level(&'static str, bool),
}

impl Family {
    pub fn of(model: &str) -> Self {
        let name = model
            .rsplit('/')
            .next()
            .unwrap_or(model)
            .to_ascii_lowercase();
        let version = name.strip_prefix("gemini-").and_then(|rest| {
            let number = rest.split('-').next()?;
            number.parse::<f32>().ok()
        });
        Self {
            generation: if name.starts_with("gemma") {
                Some(0.0)
            } else {
                version
            },
            pro: name.contains("pro"),
            lite: name.contains("lite"),
            speaks: name.contains("-image") || name.contains("-tts"),
        }
    }

    fn at_least(self, generation: f32) -> bool {
        self.generation.is_none_or(|own| own >= generation)
    }

    /// Whether it fetches files from the web by itself.
    pub fn fetches(self) -> bool {
        self.at_least(2.5)
    }

    /// Whether a function's result may hold images.
    pub fn sees_results(self) -> bool {
        self.generation.is_some_and(|own| own >= 3.0)
    }

    pub fn thinks(self) -> bool {
        self.at_least(2.5) && !(self.speaks && self.generation == Some(2.5))
    }

    /// What to say; `None` where the client did not say how much.
    pub fn thinking(self, asked: &Reasoning) -> Option<Thinking> {
        let (effort, budget) = (asked.effort()?, asked.budget()?);
        if !self.thinks() {
            return Some(Thinking::Unable);
        }
        Some(match self.generation {
            Some(own) if own >= 3.0 => self.level(effort),
            Some(_) => {
                let (least, most) = match (self.pro, self.lite) {
                    (true, _) => (128, 32_768),
                    (_, true) => (512, 24_576),
                    _ => (1, 24_576),
                };
                let fitting = match budget {
                    0 if !self.pro => 0,
                    other => other.clamp(least, most),
                };
                // An effort is no exact number, but for none.
                let exact = asked.budget_tokens.is_some() || effort == Effort::None;
                Thinking::Budget(fitting, exact && fitting != budget)
            }
            None => Thinking::Budget(budget, false),
        })
    }

    fn level(self, effort: Effort) -> Thinking {
        let first_pro = self.pro && self.generation == Some(3.0);
        match effort {
            Effort::None | Effort::Minimal if self.pro => Thinking::Level("LOW", true),
            Effort::None => Thinking::Level("MINIMAL", true),
            Effort::Minimal => Thinking::Level("MINIMAL", false),
            Effort::Low => Thinking::Level("LOW", false),
            Effort::Medium if first_pro => Thinking::Level("HIGH", true),
            Effort::Medium => Thinking::Level("MEDIUM", false),
            Effort::High | Effort::Max => Thinking::Level("HIGH", false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thinking(model: &str, effort: Effort) -> Thinking {
        let asked = Reasoning {
            effort: Some(effort),
            ..Reasoning::default()
        };
        Family::of(model).thinking(&asked).unwrap()
    }

    #[test]
    fn each_generation_is_told_in_its_way() {
        for (model, effort, expected) in [
            ("gemini-2.0-flash", Effort::High, Thinking::Unable),
            ("gemma-3-27b-it", Effort::High, Thinking::Unable),
            ("gemini-2.5-flash-image", Effort::High, Thinking::Unable),
            ("gemini-2.5-flash", Effort::None, Thinking::Budget(0, false)),
            (
                "gemini-2.5-flash",
                Effort::Max,
                Thinking::Budget(24_576, false),
            ),
            (
                "models/gemini-2.5-pro",
                Effort::None,
                Thinking::Budget(128, true),
            ),
            (
                "gemini-2.5-flash-lite",
                Effort::Low,
                Thinking::Budget(1024, false),
            ),
            (
                "gemini-3-pro-preview",
                Effort::Medium,
                Thinking::Level("HIGH", true),
            ),
            (
                "gemini-3.1-pro-preview",
                Effort::Medium,
                Thinking::Level("MEDIUM", false),
            ),
            (
                "gemini-3-flash",
                Effort::Minimal,
                Thinking::Level("MINIMAL", false),
            ),
            (
                "gemini-4-argon",
                Effort::Max,
                Thinking::Level("HIGH", false),
            ),
            (
                "gemini-flash-latest",
                Effort::Medium,
                Thinking::Budget(8192, false),
            ),
        ] {
            assert_eq!(thinking(model, effort), expected, "{model} {effort:?}");
        }
    }
}
