//! Parts of which rules have left nothing: some providers refuse a text that is empty.

use std::collections::BTreeSet;

use bytes::Bytes;
use llm::json::{Edit, Kind, Node, remove_items};

use crate::places::Changes;

/// Takes the parts out of their lists whose texts, by where they begin, are `emptied`, and what else would be changed in
/// them out of `changes`. A list of which nothing would be left stays.
pub fn taken_out(body: &Bytes, emptied: &BTreeSet<usize>, changes: &mut Changes) -> Vec<Edit> {
    let mut edits = Vec::new();
    if emptied.is_empty() {
        return edits;
    }
    let Ok(root) = Node::parse(body) else {
        return edits;
    };
    let mut lists = vec![&root];
    while let Some(node) = lists.pop() {
        lists.extend(node.members().map(|(_, value)| value));
        let Ok(items) = node.array() else { continue };
        lists.extend(items);
        let gone: Vec<bool> = items.iter().map(|item| is_emptied(item, emptied)).collect();
        if gone.contains(&true) && gone.contains(&false) {
            remove_items(items, &gone, &mut edits);
            for (item, _) in items.iter().zip(gone).filter(|(_, gone)| *gone) {
                let span = item.span();
                while let Some((start, _)) = changes.range(span.clone()).next() {
                    let start = *start;
                    changes.remove(&start);
                }
            }
        }
    }
    edits
}

fn is_emptied(part: &Node<'_>, emptied: &BTreeSet<usize>) -> bool {
    let text = part.get("text").filter(|text| text.kind() == Kind::String);
    text.is_some_and(|text| emptied.contains(&text.span().start))
}
