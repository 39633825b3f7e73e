//! `generationConfig`: <https://ai.google.dev/api/generate-content#generationconfig>

use super::schema;
use crate::chat::{Effort, Output, Prompt, Reasoning};
use crate::error::ApiError;
use crate::json::{Json, Node, ShapeError};
use crate::text::Text;
use crate::wire::gemini::{camel, items};

pub(super) fn read(config: &Node<'_>, prompt: &mut Prompt) -> Result<(), ApiError> {
    let mut media_type = Text::default();
    let mut wanted = None;
    let (mut logprobs, mut alternatives) = (false, 0);
    for (key, value) in config.object()?.members() {
        if value.is_null() {
            continue;
        }
        match &*camel(key) {
            "temperature" => prompt.temperature = Some(value.number()?),
            "topP" => prompt.top_p = Some(value.number()?),
            "topK" => prompt.top_k = Some(whole(value)?),
            "seed" => prompt.seed = Some(value.number()?),
            "presencePenalty" => prompt.presence_penalty = Some(value.number()?),
            "frequencyPenalty" => prompt.frequency_penalty = Some(value.number()?),
            "candidateCount" => {
                let count = u32::try_from(value.u64()?).unwrap_or(u32::MAX);
                prompt.choices = Some(count).filter(|&count| count > 1);
            }
            "maxOutputTokens" => prompt.max_output_tokens = Some(value.u64()?),
            "stopSequences" => {
                let texts = items(value).iter().map(Node::text);
                prompt.stop = texts.collect::<Result<_, _>>()?;
            }
            "responseMimeType" => media_type = value.text()?,
            "responseSchema" => wanted = Some(schema::to_json_schema(value.object()?)),
            "responseJsonSchema" => wanted = Some(value.json()),
            "responseLogprobs" => logprobs = value.bool()?,
            "logprobs" => alternatives = u32::try_from(value.u64()?).unwrap_or(u32::MAX),
            "thinkingConfig" => prompt.reasoning = thinking(value)?,
            "responseModalities" if only_text(value)? => {}
            "mediaResolution" if value.str()? == "MEDIA_RESOLUTION_UNSPECIFIED" => {}
            other => prompt.others.push(Text::from(other)),
        }
    }
    prompt.logprobs = logprobs.then_some(alternatives);
    prompt.output = match (media_type.as_str(), wanted) {
        ("application/json", Some(schema)) => Output::Schema {
            name: None,
            description: None,
            schema,
            strict: None,
        },
        ("application/json", None) => Output::Json,
        ("" | "text/plain", _) => Output::Text,
        _ => {
            prompt.others.push(Text::from_static("responseMimeType"));
            Output::Text
        }
    };
    Ok(())
}

/// A number of tokens that is spelled `40.0`, as some SDKs do, is 40.
fn whole(value: &Node<'_>) -> Result<Json, ShapeError> {
    match value.i64() {
        Ok(whole) => Ok(Json::of_valid(Text::from(whole.to_string()))),
        Err(_) => value.number(),
    }
}

fn only_text(modalities: &Node<'_>) -> Result<bool, ShapeError> {
    for modality in items(modalities) {
        if !modality.str()?.eq_ignore_ascii_case("text") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// <https://ai.google.dev/gemini-api/docs/thinking>
fn thinking(config: &Node<'_>) -> Result<Option<Reasoning>, ShapeError> {
    let mut reasoning = Reasoning::default();
    for (key, value) in config.object()?.members() {
        if value.is_null() {
            continue;
        }
        match &*camel(key) {
            // -1: as much as the model likes.
            "thinkingBudget" => reasoning.budget_tokens = u64::try_from(value.i64()?).ok(),
            "thinkingLevel" => {
                let level = value.str()?.to_ascii_lowercase();
                reasoning.effort = Effort::parse(&level);
                if reasoning.effort.is_none() && level != "thinking_level_unspecified" {
                    return Err(value.not("'minimal', 'low', 'medium' or 'high'"));
                }
            }
            "includeThoughts" => reasoning.visible = Some(value.bool()?),
            _ => {}
        }
    }
    Ok(Some(reasoning).filter(|reasoning| *reasoning != Reasoning::default()))
}
