//! The lowest price of input and output; the first in the list among equals, and those whose price nobody knows last.

use super::Choice;

pub(super) fn pick(choice: &Choice<'_>) -> Option<usize> {
    let price = |target: &usize| choice.targets[*target].price.unwrap_or(u64::MAX);
    choice.eligible.iter().min_by_key(price)
}
