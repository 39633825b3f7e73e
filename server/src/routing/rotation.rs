//! Smooth weighted round robin, as nginx does it: every target gets its share, evenly spread.

use std::sync::{Mutex, PoisonError};

/// Whose turn it is.
#[derive(Debug)]
pub(super) struct Rotation {
    weights: Vec<i64>,
    total: i64,
    current: Mutex<Vec<i64>>,
}

impl Rotation {
    pub fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let weights: Vec<i64> = weights.into_iter().map(i64::from).collect();
        Self {
            total: weights.iter().sum(),
            current: Mutex::new(vec![0; weights.len()]),
            weights,
        }
    }

    /// The index of the next target; 0 where no target has any weight.
    pub fn next(&self) -> usize {
        let [_, _, ..] = self.weights.as_slice() else {
            return 0;
        };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let mut best = 0;
        for index in 0..current.len() {
            current[index] += self.weights[index];
            if current[index] > current[best] {
                best = index;
            }
        }
        current[best] -= self.total;
        best
    }
}

#[cfg(test)]
mod tests {
    use super::Rotation;

    #[test]
    fn shares_follow_the_weights_and_are_spread() {
        let rotation = Rotation::new([5, 1, 1]);
        let turns: Vec<usize> = (0..7).map(|_| rotation.next()).collect();
        assert_eq!(turns, [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn no_weight_at_all_is_the_first() {
        let rotation = Rotation::new([0, 0]);
        assert_eq!((rotation.next(), rotation.next()), (0, 0));
    }
}
