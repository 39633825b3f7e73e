//! How much to think: <https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking> and
//! <https://docs.anthropic.com/en/docs/build-with-claude/effort>

use super::messages::{Conversation, Said};
use super::models::{Model, Off, Thinking};
use crate::chat::{Effort, Losses, Reasoning, Role};
use crate::json::ObjectWriter;

/// The least that the API takes for a budget.
const LEAST: u64 = 1_024;

/// What the model is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Thoughts {
    pub mode: Option<Mode>,
    pub effort: Option<&'static str>,
    /// Thoughts are hidden unless this says otherwise, or shown.
    display: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Enabled { budget_tokens: u64 },
    Adaptive,
    Disabled,
    BetweenTools,
}

/// What else of the request decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    pub model: Model,
    pub max_tokens: u64,
    /// A tool must be called: thinking and that exclude each other.
    pub forced: bool,
    pub conversation: &'a Conversation,
}

impl Thoughts {
    /// Whether the model was told to think, which forbids some other parameters.
    pub(super) fn on(&self) -> bool {
        matches!(self.mode, Some(Mode::Enabled { .. } | Mode::Adaptive))
    }

    pub(super) fn write(&self, out: &mut ObjectWriter<'_>) {
        let Some(mode) = self.mode else { return };
        out.object("thinking", |out| {
            match mode {
                Mode::Enabled { budget_tokens } => {
                    out.string("type", "enabled");
                    out.plain("budget_tokens", budget_tokens);
                }
                Mode::Adaptive => out.string("type", "adaptive"),
                Mode::Disabled => out.string("type", "disabled"),
                Mode::BetweenTools => out.string("type", "between_tools"),
            }
            if let Some(display) = self.display.filter(|_| self.on()) {
                out.string("display", display);
            }
        });
    }
}

pub(super) fn thoughts(
    reasoning: Option<&Reasoning>,
    setting: &Setting<'_>,
    losses: &mut Losses,
) -> Thoughts {
    let model = setting.model;
    let Some(reasoning) = reasoning else {
        // One that thinks by itself must be told not to, where it is to call a tool.
        return if setting.forced {
            without(model)
        } else {
            Thoughts::default()
        };
    };
    let none = match reasoning.effort {
        Some(effort) => effort == Effort::None,
        None => reasoning.budget_tokens == Some(0),
    };
    if none {
        if model.off() == Off::Never {
            losses.drop("reasoning");
            return Thoughts {
                effort: Some("low"),
                ..Thoughts::default()
            };
        }
        return without(model);
    }
    let display = match reasoning.visible {
        Some(true) if model.hides_thoughts() => Some("summarized"),
        Some(false) if model.hides_thoughts() => Some("omitted"),
        Some(false) => {
            // What is thought is always shown.
            losses.drop("reasoning.summary");
            None
        }
        _ => None,
    };
    if setting.forced && model.off() != Off::Never {
        losses.drop("reasoning");
        return without(model);
    }
    let by_words = model.thinking() == Thinking::Adaptive
        || model.thinking() == Thinking::Either && reasoning.budget_tokens.is_none();
    if by_words {
        if reasoning.effort.is_none() && reasoning.budget_tokens.is_some() {
            losses.emulate("reasoning");
        }
        return Thoughts {
            mode: (!setting.forced).then_some(Mode::Adaptive),
            effort: reasoning.effort().map(word),
            display,
        };
    }
    let wanted = reasoning.budget().unwrap_or(Effort::Medium.budget_tokens());
    let budget = budget(wanted, setting.max_tokens);
    match budget {
        Some(budget_tokens)
            if model.thinking() != Thinking::None && thoughts_are_there(setting.conversation) =>
        {
            Thoughts {
                mode: Some(Mode::Enabled { budget_tokens }),
                effort: None,
                display: None,
            }
        }
        _ => {
            losses.drop("reasoning");
            Thoughts::default()
        }
    }
}

fn without(model: Model) -> Thoughts {
    Thoughts {
        mode: match model.off() {
            Off::Unsaid | Off::Never => None,
            Off::Disabled => Some(Mode::Disabled),
            Off::BetweenTools => Some(Mode::BetweenTools),
        },
        ..Thoughts::default()
    }
}

/// At least what the API wants, and less than all that may be written: some is left for the answer.
fn budget(wanted: u64, max_tokens: u64) -> Option<u64> {
    let most = (max_tokens / 5 * 4).max(LEAST);
    (most < max_tokens).then(|| wanted.clamp(LEAST, most))
}

/// A model that thinks by a budget wants to see, amid the calls and results of a turn, the thoughts that the turn
/// began with. Clients of protocols without them do not have any.
fn thoughts_are_there(conversation: &Conversation) -> bool {
    let turns = &conversation.turns;
    let Some(last) = turns.last() else {
        return true;
    };
    let answers_calls = matches!(
        last.blocks.first().map(|block| &block.said),
        Some(Said::Result { .. })
    );
    let assistant = match last.role {
        Role::Assistant => Some(last),
        _ if answers_calls => turns[..turns.len() - 1].last(),
        _ => return true,
    };
    let first = assistant.and_then(|turn| turn.blocks.first());
    first.is_some_and(|block| matches!(block.said, Said::Thinking { .. } | Said::Redacted(_)))
}

fn word(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Max => "max",
    }
}
