//! Sums over requests, by anything that rollups are apart by.

use std::collections::HashMap;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt;
use serde_json::{Map, Value};
use shared::analytics::{Interval, StatusFilter, Usage, UsageGroup, UsageQuery, UsageRow};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, Row};

use super::{Figures, Store, StoreError, rollups};

/// Of one answer: what is summed up is in memory.
const MAX_ROWS: usize = 10_000;
/// What is longer is made of hours where nobody says otherwise.
const LONG: TimeDelta = TimeDelta::hours(24);
const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3600;

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
        let frame = Frame::of(query, now);
        let mut groups = Groups::new(query, &frame);
        let mut sql = select(query, &frame);
        let mut connection = self.reader().acquire().await?;
        let mut rows = sql.build().fetch(&mut *connection);
        while let Some(row) = rows.try_next().await? {
            let figures = groups.of(&row)?;
            rollups::decode(figures, row.try_get("figures")?)?;
        }
        Ok(groups.into_usage(query, &frame))
    }
}

/// The range of time, and the rollups that it is made of.
struct Frame {
    from_s: i64,
    to_s: i64,
    table: &'static str,
}

impl Frame {
    fn of(query: &UsageQuery, now: DateTime<Utc>) -> Self {
        let to = query.to.unwrap_or(now);
        let from = query
            .from
            .unwrap_or_else(|| to.checked_sub_signed(LONG).unwrap_or(to));
        let width_s = match query.interval {
            Some(interval) => interval.seconds(),
            None if to.signed_duration_since(from) <= LONG => MINUTE_S,
            None => HOUR_S,
        };
        let down = |second: i64| second - second.rem_euclid(width_s);
        let begun = i64::from(to.timestamp_subsec_nanos() > 0);
        Self {
            from_s: down(from.timestamp()),
            to_s: down(to.timestamp() + begun + width_s - 1),
            table: if width_s >= HOUR_S {
                "rollups_hour"
            } else {
                "rollups_minute"
            },
        }
    }
}

fn column(group: UsageGroup) -> &'static str {
    match group {
        UsageGroup::Model => "requested_model",
        UsageGroup::Provider => "provider",
        UsageGroup::UpstreamModel => "upstream_model",
        UsageGroup::Key => "key_name",
        UsageGroup::Project => "project",
        UsageGroup::Status => "status",
    }
}

fn select(query: &UsageQuery, frame: &Frame) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT bucket_start_s, figures");
    for group in &query.group_by {
        sql.push(", ").push(column(*group));
    }
    sql.push(" FROM ").push(frame.table);
    sql.push(" WHERE bucket_start_s >= ")
        .push_bind(frame.from_s);
    sql.push(" AND bucket_start_s < ").push_bind(frame.to_s);
    for (group, name) in [
        (UsageGroup::Model, &query.model),
        (UsageGroup::Provider, &query.provider),
        (UsageGroup::UpstreamModel, &query.upstream_model),
        (UsageGroup::Key, &query.key),
        (UsageGroup::Project, &query.project),
    ] {
        if let Some(name) = name {
            let name = rollups::cut(name).to_owned();
            sql.push(" AND ").push(column(group));
            sql.push(" = ").push_bind(name);
        }
    }
    if let Some(status) = query.status {
        let (first, last) = match status {
            StatusFilter::Exactly(status) => (status, status),
            StatusFilter::Class(hundreds) => (hundreds * 100, hundreds * 100 + 99),
        };
        sql.push(" AND status BETWEEN ").push_bind(first);
        sql.push(" AND ").push_bind(last);
    }
    sql
}

/// What is added up while rows come.
struct Groups {
    by: Vec<UsageGroup>,
    interval: Option<Interval>,
    /// By what they are apart by, in a form that is quickly compared.
    index: HashMap<String, usize>,
    groups: Vec<Group>,
    key: String,
    /// Without any grouping there is one row, also where there was nothing.
    single: bool,
}

#[derive(Default)]
struct Group {
    start_s: Option<i64>,
    values: Map<String, Value>,
    figures: Figures,
}

impl Groups {
    fn new(query: &UsageQuery, _: &Frame) -> Self {
        let mut by = Vec::new();
        for group in &query.group_by {
            if !by.contains(group) {
                by.push(*group);
            }
        }
        Self {
            single: by.is_empty() && query.interval.is_none(),
            by,
            interval: query.interval,
            index: HashMap::new(),
            groups: Vec::new(),
            key: String::new(),
        }
    }

    /// Where a row is added to.
    fn of(&mut self, row: &SqliteRow) -> Result<&mut Figures, UsageError> {
        self.key.clear();
        let bucket_s: i64 = row.try_get(0)?;
        let start_s = self
            .interval
            .map(|interval| bucket_s - bucket_s.rem_euclid(interval.seconds()));
        let _ = write!(self.key, "{}", start_s.unwrap_or_default());
        for group in &self.by {
            // With its length, so that no two look alike.
            let _ = match group {
                UsageGroup::Status => write!(self.key, " {}", row.try_get::<u16, _>("status")?),
                group => {
                    let name: &str = row.try_get(column(*group))?;
                    write!(self.key, " {} {name}", name.len())
                }
            };
        }
        let at = match self.index.get(&self.key) {
            Some(at) => *at,
            None => {
                if self.groups.len() == MAX_ROWS {
                    return Err(UsageError::TooManyRows);
                }
                let mut values = Map::new();
                for group in &self.by {
                    let value = match group {
                        UsageGroup::Status => match row.try_get::<u16, _>("status")? {
                            0 => Value::Null,
                            status => status.into(),
                        },
                        group => match row.try_get::<&str, _>(column(*group))? {
                            "" => Value::Null,
                            name => name.into(),
                        },
                    };
                    values.insert(group.as_str().to_owned(), value);
                }
                self.groups.push(Group {
                    start_s,
                    values,
                    figures: Figures::default(),
                });
                self.index.insert(self.key.clone(), self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        Ok(&mut self.groups[at].figures)
    }

    fn into_usage(mut self, query: &UsageQuery, frame: &Frame) -> Usage {
        let mut total = Figures::default();
        for group in &self.groups {
            total.merge(&group.figures);
        }
        if self.single && self.groups.is_empty() {
            self.groups.push(Group::default());
        }
        // Rows come in the order of their names: it stays, where there were as many requests.
        self.groups.sort_by(|a, b| {
            let earlier = a.start_s.cmp(&b.start_s);
            earlier.then_with(|| b.figures.requests.cmp(&a.figures.requests))
        });
        let rows = self.groups.into_iter().map(|group| UsageRow {
            start: group.start_s.map(time),
            group: group.values,
            figures: group.figures.usage(),
        });
        Usage {
            from: time(frame.from_s),
            to: time(frame.to_s),
            interval: query.interval,
            group_by: self.by,
            rows: rows.collect(),
            total: total.usage(),
        }
    }
}

fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap_or_default()
}
