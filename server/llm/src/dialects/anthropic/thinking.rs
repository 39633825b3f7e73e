//! How much to think: <https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking> and
//! <https://docs.anthropic.com/en/docs/build-with-claude/effort>

use crate::chat::{Effort, Reasoning};
use crate::error::ApiError;
use crate::json::Node;
use crate::text::Text;

/// Reads `thinking` and `output_config.effort`.
pub(super) fn read(
    thinking: Option<&Node<'_>>,
    output: Option<&Node<'_>>,
    others: &mut Vec<Text>,
) -> Result<Option<Reasoning>, ApiError> {
    let effort = output
        .and_then(|output| output.get("effort"))
        .map(read_effort)
        .transpose()?;
    let Some(thinking) = thinking else {
        return Ok(effort.map(|effort| Reasoning {
            effort: Some(effort),
            ..Reasoning::default()
        }));
    };
    let kind = thinking.object()?.require("type")?;
    let display = thinking.get("display").map(Node::str).transpose()?;
    let mut reasoning = Reasoning {
        effort,
        budget_tokens: None,
        visible: Some(display.is_none_or(|display| display != "omitted")),
    };
    match &*kind.str()? {
        "enabled" => {
            let budget = thinking.require("budget_tokens")?;
            match budget.u64()? {
                0 => return Err(budget.not("at least 1024").into()),
                tokens => reasoning.budget_tokens = Some(tokens),
            }
        }
        "adaptive" => {}
        "disabled" | "between_tools" => {
            // Effort says how much is written, too: that part has no place of its own.
            if effort.is_some() {
                others.push(Text::from_static("output_config.effort"));
            }
            reasoning = Reasoning {
                effort: Some(Effort::None),
                budget_tokens: Some(0),
                visible: None,
            };
        }
        _ => {
            let kinds = "'enabled', 'adaptive' or 'disabled'";
            return Err(kind.not(kinds).into());
        }
    }
    Ok(Some(reasoning))
}

fn read_effort(effort: &Node<'_>) -> Result<Effort, ApiError> {
    Effort::parse(&effort.str()?).ok_or_else(|| {
        effort
            .not("'low', 'medium', 'high', 'xhigh' or 'max'")
            .into()
    })
}
