//! Some of a list's targets, without an allocation.

/// More targets than that no list has; the configuration's check says so.
pub const MOST_TARGETS: usize = 256;

const WORDS: usize = MOST_TARGETS / 64;

/// Targets by their place in the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TargetSet([u64; WORDS]);

impl TargetSet {
    pub fn insert(&mut self, target: usize) {
        if let Some(word) = self.0.get_mut(target / 64) {
            *word |= 1 << (target % 64);
        }
    }

    pub fn contains(&self, target: usize) -> bool {
        let word = self.0.get(target / 64);
        word.is_some_and(|word| word & (1 << (target % 64)) != 0)
    }

    pub fn is_empty(&self) -> bool {
        self.0 == [0; WORDS]
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// In the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(at, mut word)| {
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros() as usize;
                word &= word.checked_sub(1)?;
                Some(at * 64 + bit)
            })
        })
    }
}

impl FromIterator<usize> for TargetSet {
    fn from_iter<I: IntoIterator<Item = usize>>(targets: I) -> Self {
        let mut set = Self::default();
        for target in targets {
            set.insert(target);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::TargetSet;

    #[test]
    fn holds_what_was_put_in() {
        let targets = [0, 5, 63, 64, 200, 255];
        let set: TargetSet = targets.into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), targets);
        assert_eq!(set.len(), 6);
        assert!(set.contains(200) && !set.contains(201) && !set.contains(256));
        assert!(TargetSet::default().is_empty());
        assert_eq!(TargetSet::default().iter().next(), None);
    }
}
