//! Images: <https://platform.openai.com/docs/api-reference/images>

use crate::carried::{Bodies, Consumption, Operation, tokens};
use crate::chat::Usage;
use crate::json::Node;

/// Images made from a text.
pub static GENERATIONS: Operation = Operation {
    name: "images.generations",
    path: "/images/generations",
    bodies: Bodies::Json,
    offered: |modalities| modalities.images,
    consumed,
    counts_input: false,
};

/// Images changed as a text says.
pub static EDITS: Operation = Operation {
    name: "images.edits",
    path: "/images/edits",
    bodies: Bodies::Both,
    ..GENERATIONS
};

/// Images like another one.
pub static VARIATIONS: Operation = Operation {
    name: "images.variations",
    path: "/images/variations",
    bodies: Bodies::Multipart,
    ..GENERATIONS
};

/// A whole reply has all images in `data`. In a stream each image ends with an event of its own, with its own usage;
/// events of partial images count for nothing.
fn consumed(root: &Node<'_>, so_far: &mut Consumption) {
    let images = match root.get("type").map(Node::str) {
        None => root
            .get("data")
            .and_then(|data| data.array().ok())
            .map_or(0, |data| data.len() as u64),
        Some(Ok(kind)) if kind.ends_with(".completed") => 1,
        Some(_) => return,
    };
    if images > 0 {
        *so_far.images.get_or_insert(0) += images;
    }
    if let Some(usage) = tokens(root) {
        let sum = so_far.usage.get_or_insert(Usage::default());
        sum.input_tokens = sum.input_tokens.saturating_add(usage.input_tokens);
        sum.cached_tokens = sum.cached_tokens.saturating_add(usage.cached_tokens);
        sum.output_tokens = sum.output_tokens.saturating_add(usage.output_tokens);
    }
}
