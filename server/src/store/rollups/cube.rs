//! Sums of a bucket by fewer dimensions than its rollups have: a small data cube.
//!
//! A set of dimensions is worth storing where it leaves few groups, and which ones do differs from gateway to gateway: some have
//! hundreds of keys, others hundreds of models. So each bucket has its own sets. Never more of them than needed: what a
//! stored set tells apart answers for all of its subsets as well. [`sums`](super::sums) reads them.

use std::collections::{BTreeMap, HashMap, HashSet};

use shared::analytics::UsageGroup;
use sqlx::query;
use sqlx::sqlite::SqliteConnection;
use tokio::task::yield_now;

use super::dimensions::{Dimensions, index};
use super::{Bucket, RollupKey};
use crate::store::{Figures, StoreError, netstrings};

/// How many rollups there are at least for each group of a set that is stored.
const ROWS_PER_GROUP: usize = 16;
/// A set is stored although a larger one is, when that one has more than so many times its groups.
const GROUPS_PER_GROUP: usize = 4;
/// Requests are served on the same thread: what goes through more rows than these lets them pass.
const ROWS_AT_A_TIME: usize = 500;

/// Stores the sums of a bucket, which has none yet. One without rows gets none.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    width_s: i64,
    start_s: i64,
    bucket: &Bucket,
) -> Result<(), StoreError> {
    const INSERT: &str = "INSERT INTO rollup_sums (width_s, bucket_start_s, dimensions, groups, sums) VALUES (?, ?, ?, ?, ?)";
    if bucket.is_empty() {
        return Ok(());
    }
    let rows = Rows::of(bucket).await;
    let mut stored: Vec<Sums> = Vec::new();
    for dimensions in worth_storing(&rows.ids).await {
        let larger = stored.iter();
        let larger = larger.filter(|sums| sums.dimensions.contains(dimensions));
        let sums = match larger.min_by_key(|sums| sums.groups.len()) {
            Some(larger) => Sums::of(dimensions, larger.groups.iter()).await,
            None => Sums::of(dimensions, rows.ids.iter().zip(bucket.values())).await,
        };
        query(INSERT)
            .bind(width_s)
            .bind(start_s)
            .bind(dimensions.number())
            .bind(i64::try_from(sums.groups.len()).unwrap_or(i64::MAX))
            .bind(sums.encode(&rows.names))
            .execute(&mut *connection)
            .await?;
        stored.push(sums);
    }
    Ok(())
}

/// A status stands for itself, a name for its place among [`Rows::names`].
type Ids = [u32; Dimensions::COUNT];

struct Rows<'b> {
    /// In the order of the bucket.
    ids: Vec<Ids>,
    names: Vec<&'b str>,
}

impl<'b> Rows<'b> {
    async fn of(bucket: &'b Bucket) -> Self {
        let mut known = HashMap::new();
        let mut rows = Self {
            ids: Vec::with_capacity(bucket.len()),
            names: Vec::new(),
        };
        for key in bucket.keys() {
            let mut id = |name: &'b str| {
                *known.entry(name).or_insert_with(|| {
                    rows.names.push(name);
                    rows.names.len() as u32 - 1
                })
            };
            let RollupKey {
                requested_model,
                provider,
                upstream_model,
                key_name,
                project,
                status,
            } = key;
            let names = [requested_model, provider, upstream_model, key_name, project];
            let [model, provider, upstream_model, key_name, project] = names.map(|name| id(name));
            let status = u32::from(*status);
            rows.ids
                .push([model, provider, upstream_model, key_name, project, status]);
            let_others_pass(rows.ids.len()).await;
        }
        rows
    }
}

/// The sets with few groups, each after those that contain it. There always is one: without any dimensions there is one group.
async fn worth_storing(rows: &[Ids]) -> Vec<Dimensions> {
    let most = (rows.len() / ROWS_PER_GROUP).max(1);
    let mut counts: Vec<Option<usize>> = Vec::new();
    for dimensions in Dimensions::sets() {
        // A set never has fewer groups than its subsets (as in the Apriori algorithm).
        let mut smaller = dimensions.without_one();
        let may = smaller.all(|smaller| counts[usize::from(smaller.number())].is_some());
        counts.push(match may {
            true => count(rows, dimensions, most).await,
            false => None,
        });
    }
    let mut few: Vec<_> = Dimensions::sets()
        .zip(counts)
        .filter_map(|(dimensions, count)| Some((dimensions, count?)))
        .collect();
    few.sort_by_key(|(dimensions, _)| std::cmp::Reverse(dimensions.len()));
    let mut stored: Vec<(Dimensions, usize)> = Vec::new();
    for (dimensions, groups) in few {
        let told_by = |(larger, many): &(Dimensions, usize)| {
            larger.contains(dimensions) && *many <= GROUPS_PER_GROUP * groups
        };
        if !stored.iter().any(told_by) {
            stored.push((dimensions, groups));
        }
    }
    let stored = stored.into_iter();
    stored.map(|(dimensions, _)| dimensions).collect()
}

/// How many groups there are; `None`: more than `most`.
async fn count(rows: &[Ids], dimensions: Dimensions, most: usize) -> Option<usize> {
    let mut groups = HashSet::with_capacity(most + 1);
    for (i, ids) in rows.iter().enumerate() {
        let_others_pass(i).await;
        if groups.insert(of(dimensions, ids)) && groups.len() > most {
            return None;
        }
    }
    Some(groups.len())
}

/// Only what differs in these.
fn of(dimensions: Dimensions, ids: &Ids) -> Ids {
    let mut only = Ids::default();
    for group in dimensions.groups() {
        only[index(group)] = ids[index(group)];
    }
    only
}

struct Sums {
    dimensions: Dimensions,
    groups: BTreeMap<Ids, Figures>,
}

impl Sums {
    async fn of<'f>(
        dimensions: Dimensions,
        rows: impl Iterator<Item = (&'f Ids, &'f Figures)>,
    ) -> Self {
        let mut groups = BTreeMap::<Ids, Figures>::new();
        for (i, (ids, figures)) in rows.enumerate() {
            let group = groups.entry(of(dimensions, ids)).or_default();
            group.merge(figures);
            let_others_pass(i).await;
        }
        Self { dimensions, groups }
    }

    fn encode(&self, names: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        for (ids, figures) in &self.groups {
            for group in self.dimensions.groups() {
                let id = ids[index(group)];
                match group {
                    UsageGroup::Status => netstrings::push(&mut out, id.to_string().as_bytes()),
                    _ => netstrings::push(&mut out, names[id as usize].as_bytes()),
                }
            }
            netstrings::push(&mut out, &figures.encode());
        }
        out
    }
}

async fn let_others_pass(row: usize) {
    if row.is_multiple_of(ROWS_AT_A_TIME) {
        yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Slowly, and without knowing that a larger set has more groups.
    fn groups(rows: &[Ids], dimensions: Dimensions) -> usize {
        let rows = rows.iter().map(|ids| of(dimensions, ids));
        rows.collect::<HashSet<_>>().len()
    }

    proptest! {
        #[test]
        fn whatever_has_few_groups_is_told_by_few(
            many in prop::array::uniform6(1_u32..20),
            seeds in prop::collection::vec(any::<u32>(), 1..400),
        ) {
            let rows: Vec<Ids> = seeds
                .iter()
                .map(|seed| std::array::from_fn(|i| (seed >> i) % many[i]))
                .collect();
            let found = worth_storing(&rows);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let stored = runtime.block_on(found);
            let most = (rows.len() / ROWS_PER_GROUP).max(1);
            for dimensions in Dimensions::sets() {
                let least = groups(&rows, dimensions);
                let larger = stored.iter().filter(|stored| stored.contains(dimensions));
                let read = larger.map(|stored| groups(&rows, *stored)).min();
                if least <= most {
                    prop_assert!(read.is_some_and(|read| read <= GROUPS_PER_GROUP * least));
                } else {
                    prop_assert_eq!(read, None);
                }
            }
        }
    }
}
