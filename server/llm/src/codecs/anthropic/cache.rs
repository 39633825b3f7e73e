//! Marks for the prompt cache: <https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching>

use super::messages::{Block, Conversation, Said};
use super::tools::Tools;
use crate::chat::{CachePoint, Losses};
use crate::json::ObjectWriter;

/// The API takes so many.
const MOST: usize = 4;

/// Keeps the last marks, which hold the most; tools stand first in the cache, then the system's prompt, then turns.
pub(super) fn limit(tools: &mut Tools, conversation: &mut Conversation, losses: &mut Losses) {
    let mut points: Vec<&mut Option<CachePoint>> = Vec::new();
    points.extend(tools.list.iter_mut().map(|tool| &mut tool.cache));
    for block in &mut conversation.system {
        collect(block, &mut points);
    }
    for turn in &mut conversation.turns {
        for block in &mut turn.blocks {
            collect(block, &mut points);
        }
    }
    points.retain(|point| point.is_some());
    let surplus = points.len().saturating_sub(MOST);
    for point in points.into_iter().take(surplus) {
        *point = None;
        losses.drop("cache_control");
    }
}

fn collect<'b>(block: &'b mut Block, points: &mut Vec<&'b mut Option<CachePoint>>) {
    if let Said::Result { blocks, .. } = &mut block.said {
        for inner in blocks {
            collect(inner, points);
        }
    }
    points.push(&mut block.cache);
}

pub(super) fn write(point: &CachePoint, out: &mut ObjectWriter<'_>) {
    out.object("cache_control", |out| {
        out.string("type", "ephemeral");
        if let Some(ttl) = point
            .ttl
            .as_deref()
            .filter(|ttl| matches!(*ttl, "5m" | "1h"))
        {
            out.string("ttl", ttl);
        }
    });
}
