//! An endpoint of which nothing is known.

use super::{Bodies, Operation, tokens};

/// Whatever a provider has beside: its usage is read where it is told as OpenAI tells it.
pub static ANY: Operation = Operation {
    name: "any",
    path: "",
    bodies: Bodies::Both,
    offered: |_| true,
    consumed: |root, so_far| so_far.usage = tokens(root).or(so_far.usage),
    counts_input: false,
};
