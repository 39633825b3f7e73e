//! A whole reply.

use super::object::{Asked, Head, Status};
use super::output::{Item, ItemKind, Part};
use crate::chat::{Block, ChatRequest, ChatResponse, Choice, Protocol, Stamp};
use crate::json::{Edit, object, quote, splice};
use crate::segments::Segments;

pub(super) fn encode(request: &ChatRequest, response: &ChatResponse) -> Segments {
    match &response.raw {
        Some(raw) if raw.protocol == Protocol::OpenAiResponses => {
            let mut edits = Vec::new();
            if let (Some(model), Some(span)) = (&request.model, &raw.model) {
                let model = quote(model);
                if raw.body[span.clone()] != model {
                    edits.push(Edit {
                        span: span.clone(),
                        with: model,
                    });
                }
            }
            splice(&raw.body, edits)
        }
        _ => built(request, response),
    }
}

/// The reply written anew, from what is known of it. The protocol knows one alternative.
fn built(request: &ChatRequest, response: &ChatResponse) -> Segments {
    let head = Head::new(
        &Asked::of(request),
        &response.id,
        &response.model,
        response.created,
    );
    let choice = response.choices.first();
    let items = choice.map_or_else(Vec::new, |choice| {
        items(choice, &request.stamp, head.refers)
    });
    let finish = choice.and_then(|choice| choice.finish.as_ref());
    let body = object(|body| {
        head.write(body, Status::Ended(finish), &items, response.usage.as_ref());
    });
    Segments::from(body)
}

fn items(choice: &Choice, stamp: &Stamp, refers: bool) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    // Of the choice's first text.
    let mut logprobs = choice.logprobs.as_slice();
    for content in &choice.blocks {
        let said = matches!(content.block, Block::Text | Block::Refusal);
        let goes_on = said
            && items
                .last()
                .is_some_and(|item| matches!(item.kind, ItemKind::Message(_)));
        if !goes_on {
            let Some(mut item) = Item::new(&content.block, stamp, items.len()) else {
                continue;
            };
            item.open = false;
            items.push(item);
        }
        let Some(item) = items.last_mut() else {
            continue;
        };
        match &mut item.kind {
            ItemKind::Message(parts) => {
                let mut part = Part::new(content.block == Block::Refusal);
                part.push(&content.text);
                part.citations = content.citations.clone();
                if !part.refusal {
                    part.logprobs = std::mem::take(&mut logprobs).to_vec();
                }
                parts.push(part);
            }
            ItemKind::Reasoning { text, .. } => {
                text.push(&content.text);
                if let Some(seal) = &content.seal {
                    if seal.protocol == Protocol::OpenAiResponses && !seal.id.is_empty() {
                        item.id = seal.id.to_string();
                    }
                    item.seal(seal);
                    if let Some(id) = item.telling_id(seal).filter(|_| refers) {
                        item.id = id;
                    }
                }
            }
            ItemKind::Call { arguments, .. } => {
                arguments.push(&content.text);
            }
            ItemKind::Image { data, .. } => {
                data.push(&content.text);
            }
        }
    }
    let cut_short = choice.finish.as_ref().is_some_and(super::is_cut_short);
    if let Some(last) = items.last_mut().filter(|_| cut_short) {
        last.incomplete = true;
    }
    items
}
