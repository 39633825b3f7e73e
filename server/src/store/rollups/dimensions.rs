//! Sets of what rollups are apart by.

use shared::analytics::UsageGroup;

/// In stored sums a number: see migration 13. What they have of each is in the order of [`UsageGroup::ALL`], which is that of
/// [`KEY`](super::KEY).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dimensions(u8);

impl Dimensions {
    pub(super) const COUNT: usize = UsageGroup::ALL.len();

    /// All sets there are, each after its subsets.
    pub(super) fn sets() -> impl Iterator<Item = Self> {
        (0..1 << Self::COUNT).map(Self)
    }

    pub(super) fn of_number(number: i64) -> Option<Self> {
        let bits = u8::try_from(number).ok()?;
        (bits < 1 << Self::COUNT).then_some(Self(bits))
    }

    pub(super) fn number(self) -> u8 {
        self.0
    }

    pub(super) fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub(super) fn has(self, group: UsageGroup) -> bool {
        self.contains(Self(1 << index(group)))
    }

    pub(super) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn groups(self) -> impl Iterator<Item = UsageGroup> {
        let groups = UsageGroup::ALL.into_iter();
        groups.filter(move |group| self.has(*group))
    }

    /// The sets that have one less.
    pub(super) fn without_one(self) -> impl Iterator<Item = Self> {
        self.groups()
            .map(move |group| Self(self.0 & !(1 << index(group))))
    }
}

impl FromIterator<UsageGroup> for Dimensions {
    fn from_iter<I: IntoIterator<Item = UsageGroup>>(groups: I) -> Self {
        let groups = groups.into_iter();
        Self(groups.fold(0, |bits, group| bits | 1 << index(group)))
    }
}

/// Where something of each dimension has that of this one.
pub(super) fn index(group: UsageGroup) -> usize {
    match group {
        UsageGroup::Model => 0,
        UsageGroup::Provider => 1,
        UsageGroup::UpstreamModel => 2,
        UsageGroup::Key => 3,
        UsageGroup::Project => 4,
        UsageGroup::Status => 5,
    }
}
