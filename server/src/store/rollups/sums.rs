//! Reading the sums of days that are summed up: of each bucket those that tell enough apart, and the fewest groups.

use futures_util::TryStreamExt;
use shared::analytics::UsageGroup;
use sqlx::sqlite::Sqlite;
use sqlx::{Row, Transaction, query};

use super::cut;
use super::dimensions::{Dimensions, index};
use super::parts::{Part, Rollup, Wanted, statuses, unreadable};
use crate::store::{StoreError, netstrings};

/// Of each bucket the sums with the fewest groups that have these dimensions; null where none do.
/// The other columns are of the row that has the minimum: <https://sqlite.org/lang_select.html#bareagg>
const SELECT: &str = "\
    SELECT bucket_start_s, dimensions, CASE WHEN dimensions & ?1 = ?1 THEN sums END, \
    min(CASE WHEN dimensions & ?1 = ?1 THEN groups END) \
    FROM rollup_sums WHERE width_s = ?2 AND bucket_start_s >= ?3 AND bucket_start_s < ?4 GROUP BY bucket_start_s";

/// Hands each to `take`, as [`parts::each`](super::parts::each) does. Returns the times whose sums tell too little apart: these
/// buckets have to be read from their rollups. A bucket without sums has no rollups.
pub(super) async fn each<E: From<StoreError>>(
    snapshot: &mut Transaction<'_, Sqlite>,
    part: &Part,
    wanted: &Wanted<'_>,
    take: &mut impl FnMut(Rollup<'_>) -> Result<(), E>,
) -> Result<Vec<(i64, i64)>, E> {
    let width_s = part.table.width_s();
    let mut rows = query(SELECT)
        .bind(wanted.dimensions().number())
        .bind(width_s)
        .bind(part.from_s)
        .bind(part.to_s)
        .fetch(&mut **snapshot);
    let mut rest: Vec<(i64, i64)> = Vec::new();
    let mut was_told = true;
    let mut key = Vec::new();
    while let Some(row) = rows.try_next().await.map_err(StoreError::from)? {
        let start_s: i64 = row.try_get(0).map_err(StoreError::from)?;
        let sums: Option<&[u8]> = row.try_get(2).map_err(StoreError::from)?;
        let Some(mut sums) = sums else {
            match rest.last_mut() {
                Some((_, end_s)) if !was_told => *end_s = start_s + width_s,
                _ => rest.push((start_s, start_s + width_s)),
            }
            was_told = false;
            continue;
        };
        was_told = true;
        let dimensions = row.try_get(1).map_err(StoreError::from)?;
        let dimensions = Dimensions::of_number(dimensions).ok_or_else(unreadable)?;
        while !sums.is_empty() {
            let group = Group::take(dimensions, &mut sums).ok_or_else(unreadable)?;
            if !group.is_wanted(wanted) {
                continue;
            }
            key.clear();
            for by in wanted.by {
                key.extend_from_slice(group.stored[index(*by)]);
            }
            take(Rollup {
                start_s,
                key: &key,
                figures: group.figures,
            })?;
        }
    }
    Ok(rest)
}

/// One of a bucket's sums.
#[derive(Default)]
struct Group<'s> {
    /// Empty where they are not apart by it.
    values: [&'s [u8]; Dimensions::COUNT],
    /// The same, each with its length.
    stored: [&'s [u8]; Dimensions::COUNT],
    figures: &'s [u8],
}

impl<'s> Group<'s> {
    /// Takes one from the front.
    fn take(dimensions: Dimensions, rest: &mut &'s [u8]) -> Option<Self> {
        let mut group = Self::default();
        for dimension in dimensions.groups() {
            let all = *rest;
            group.values[index(dimension)] = netstrings::take(rest)??;
            group.stored[index(dimension)] = &all[..all.len() - rest.len()];
        }
        group.figures = netstrings::take(rest)??;
        Some(group)
    }

    fn is_wanted(&self, wanted: &Wanted<'_>) -> bool {
        let mut names = wanted.names.iter();
        names.all(|(group, name)| self.values[index(*group)] == cut(name).as_bytes())
            && wanted.status.is_none_or(|filter| {
                let status = std::str::from_utf8(self.values[index(UsageGroup::Status)]);
                let status = status.ok().and_then(|status| status.parse().ok());
                status.is_some_and(|status| statuses(filter).contains(&status))
            })
    }
}
