//! Texts and images judged by what is wrong with them: <https://platform.openai.com/docs/api-reference/moderations>

use crate::carried::{Bodies, Operation, tokens};

/// Whether inputs are harmful, and how.
pub static MODERATIONS: Operation = Operation {
    name: "moderations",
    path: "/moderations",
    bodies: Bodies::Json,
    offered: |modalities| modalities.moderation,
    // Where it is charged for at all, it is by tokens.
    consumed: |root, so_far| so_far.usage = tokens(root).or(so_far.usage),
    counts_input: false,
};
