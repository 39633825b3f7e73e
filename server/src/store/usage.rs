//! Sums over requests, by anything that rollups are apart by.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use shared::analytics::{Interval, Usage, UsageGroup, UsageQuery, UsageRow};
use sqlx::query_scalar;
use sqlx::sqlite::SqliteConnection;

use super::rollups::{self, Rollup, Wanted};
use super::{Figures, Store, StoreError};

/// Of one answer: what is summed up is in memory.
const MAX_ROWS: usize = 10_000;
/// What is longer is made of hours where nobody says otherwise.
const LONG: TimeDelta = TimeDelta::hours(24);

/// Why there are no sums.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    #[error("the answer would have more than {MAX_ROWS} rows")]
    TooManyRows,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for UsageError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// What was used, from rollups in one scan. What was recorded within the last second may be missing.
    pub async fn usage(&self, query: &UsageQuery, now: DateTime<Utc>) -> Result<Usage, UsageError> {
        let mut snapshot = self.reader().begin().await?;
        let frame = Frame::of(query, now, &mut snapshot).await?;
        let mut groups = Groups::new(query);
        let names = [
            (UsageGroup::Model, &query.model),
            (UsageGroup::Provider, &query.provider),
            (UsageGroup::UpstreamModel, &query.upstream_model),
            (UsageGroup::Key, &query.key),
            (UsageGroup::Project, &query.project),
        ];
        let names = names.iter();
        let wanted = Wanted {
            from_s: frame.from_s,
            to_s: frame.to_s,
            finest: frame.finest,
            coarsest: query.interval.unwrap_or(Interval::Day),
            by: &groups.by.clone(),
            names: names
                .filter_map(|(group, name)| Some((*group, name.as_deref()?)))
                .collect(),
            status: query.status,
        };
        rollups::each(&mut snapshot, &wanted, |rollup| {
            let figures = groups.of(rollup)?;
            Ok::<_, UsageError>(rollups::decode(figures, rollup.figures)?)
        })
        .await?;
        Ok(groups.into_usage(query, &frame)?)
    }
}

/// The range of time, in whole steps of the finest rollups that it is made of.
struct Frame {
    from_s: i64,
    to_s: i64,
    finest: Interval,
}

impl Frame {
    async fn of(
        query: &UsageQuery,
        now: DateTime<Utc>,
        connection: &mut SqliteConnection,
    ) -> Result<Self, StoreError> {
        let to = query.to.unwrap_or(now);
        let from = query
            .from
            .unwrap_or_else(|| to.checked_sub_signed(LONG).unwrap_or(to));
        let width = match query.interval {
            Some(interval) => interval,
            None if to.signed_duration_since(from) > LONG => Interval::Hour,
            None if only_hours_are_kept(from, connection).await? => Interval::Hour,
            None => Interval::Minute,
        };
        let width_s = width.seconds();
        let begun = i64::from(to.timestamp_subsec_nanos() > 0);
        let down = |second: i64| second - second.rem_euclid(width_s);
        Ok(Self {
            from_s: down(from.timestamp()),
            to_s: down(to.timestamp() + begun + width_s - 1),
            finest: match width {
                Interval::Minute => Interval::Minute,
                Interval::Hour | Interval::Day => Interval::Hour,
            },
        })
    }
}

/// Whether the minutes of this time are deleted, but not its hours.
async fn only_hours_are_kept(
    time: DateTime<Utc>,
    connection: &mut SqliteConnection,
) -> Result<bool, StoreError> {
    let minute_s: Option<i64> = query_scalar("SELECT min(bucket_start_s) FROM rollups_minute")
        .fetch_one(&mut *connection)
        .await?;
    let minute_s = minute_s.unwrap_or(i64::MAX);
    if time.timestamp() >= minute_s {
        return Ok(false);
    }
    let hour_s: Option<i64> = query_scalar("SELECT min(bucket_start_s) FROM rollups_hour")
        .fetch_one(connection)
        .await?;
    let hour_s = hour_s.unwrap_or(i64::MAX);
    Ok(hour_s.saturating_add(Interval::Hour.seconds()) <= minute_s)
}

/// What is added up while rollups come.
struct Groups {
    by: Vec<UsageGroup>,
    interval: Option<Interval>,
    /// By the start of the interval and the rollups' key.
    index: HashMap<Box<[u8]>, usize>,
    groups: Vec<Group>,
    key: Vec<u8>,
}

#[derive(Default)]
struct Group {
    start_s: Option<i64>,
    values: Vec<String>,
    figures: Figures,
}

impl Groups {
    fn new(query: &UsageQuery) -> Self {
        let mut by = Vec::new();
        for group in &query.group_by {
            if !by.contains(group) {
                by.push(*group);
            }
        }
        Self {
            by,
            interval: query.interval,
            index: HashMap::new(),
            groups: Vec::new(),
            key: Vec::new(),
        }
    }

    /// Where a rollup is added to.
    fn of(&mut self, rollup: Rollup<'_>) -> Result<&mut Figures, UsageError> {
        let start_s = self
            .interval
            .map(|interval| rollup.start_s - rollup.start_s.rem_euclid(interval.seconds()));
        self.key.clear();
        self.key
            .extend_from_slice(&start_s.unwrap_or_default().to_le_bytes());
        self.key.extend_from_slice(rollup.key);
        let at = match self.index.get(self.key.as_slice()) {
            Some(at) => *at,
            None => {
                if self.groups.len() == MAX_ROWS {
                    return Err(UsageError::TooManyRows);
                }
                let values = rollups::values(rollup.key);
                self.groups.push(Group {
                    start_s,
                    values: values
                        .map(|value| value.map(str::to_owned))
                        .collect::<Result<_, _>>()?,
                    figures: Figures::default(),
                });
                self.index
                    .insert(self.key.as_slice().into(), self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        Ok(&mut self.groups[at].figures)
    }

    fn into_usage(mut self, query: &UsageQuery, frame: &Frame) -> Result<Usage, StoreError> {
        let mut total = Figures::default();
        for group in &self.groups {
            total.merge(&group.figures);
        }
        // Without any grouping there is one row, also where there was nothing.
        if self.by.is_empty() && self.interval.is_none() && self.groups.is_empty() {
            self.groups.push(Group::default());
        }
        self.groups.sort_by(|a, b| {
            let earlier = a.start_s.cmp(&b.start_s);
            let larger = || b.figures.requests.cmp(&a.figures.requests);
            earlier
                .then_with(larger)
                .then_with(|| a.values.cmp(&b.values))
        });
        let by = self.by;
        let rows = self.groups.into_iter().map(|group| {
            let values = by.iter().zip(group.values);
            let values = values.map(|(by, value)| {
                let value = json(*by, value)?;
                Ok((by.as_str().to_owned(), value))
            });
            Ok(UsageRow {
                start: group.start_s.map(time),
                group: values.collect::<Result<Map<_, _>, StoreError>>()?,
                figures: group.figures.usage(),
            })
        });
        Ok(Usage {
            from: time(frame.from_s),
            to: time(frame.to_s),
            interval: query.interval,
            rows: rows.collect::<Result<_, StoreError>>()?,
            group_by: by,
            total: total.usage(),
        })
    }
}

/// `null` where the requests had none.
fn json(group: UsageGroup, value: String) -> Result<Value, StoreError> {
    Ok(match (group, value.as_str()) {
        (_, "") | (UsageGroup::Status, "0") => Value::Null,
        (UsageGroup::Status, status) => match status.parse::<u16>() {
            Ok(status) => status.into(),
            Err(_) => return Err(StoreError::Corrupt("status of a rollup".to_owned())),
        },
        (_, _) => value.into(),
    })
}

fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap_or_default()
}
