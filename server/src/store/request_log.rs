//! The requests that were recorded, the latest first, as somebody looks for them.
//!
//! A page is read from the end of the table backwards, in the order in which rows were written: rows that come meanwhile
//! are in no later page, and none is there twice. Of what rollups have already, only those blocks are looked into that
//! have all the names that are asked for.

use shared::analytics::{RequestFilter, StatusFilter};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, Row, query_scalar};
use tracing::debug;
use uuid::Uuid;

use super::blocks::{self, What};
use super::{Store, StoreError, requests};
use crate::recording::record::RequestRecord;

/// Blocks that a page looks into at most: some tenths of a second. The next page goes on there.
const MAX_BLOCKS: i64 = 1000;
/// Neighbouring blocks that are read together.
const STRIDE: i64 = 16;

/// Some requests, the latest first.
#[derive(Debug, Default)]
pub struct LogPage {
    pub requests: Vec<RequestRecord>,
    /// Where the next page begins: requests before this one. `None`: there are no others.
    pub next: Option<i64>,
}

impl Store {
    /// At most `limit` requests, the latest of those that were written before `before`.
    pub async fn request_log(
        &self,
        filter: &RequestFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<LogPage, StoreError> {
        let mut search = Search {
            connection: self.reader().acquire().await?,
            filter,
            limit: limit.max(1),
            page: LogPage::default(),
            full: false,
        };
        search.run(before).await?;
        Ok(search.page)
    }

    /// One request.
    pub async fn request(&self, id: Uuid) -> Result<Option<RequestRecord>, StoreError> {
        let mut sql = select();
        sql.push(" WHERE id = ").push_bind(id.as_bytes().to_vec());
        let row = sql.build().fetch_optional(&self.reader()).await?;
        row.as_ref().map(requests::record).transpose()
    }
}

struct Search<'a> {
    connection: PoolConnection<Sqlite>,
    filter: &'a RequestFilter,
    limit: usize,
    page: LogPage,
    full: bool,
}

impl Search<'_> {
    async fn run(&mut self, before: Option<i64>) -> Result<(), StoreError> {
        if let Some(id) = id(self.filter) {
            return self.only(id, before).await;
        }
        let newest: Option<i64> = query_scalar("SELECT max(seq) FROM requests")
            .fetch_one(&mut *self.connection)
            .await?;
        let Some(newest) = newest else {
            return Ok(());
        };
        let watermark: i64 = query_scalar("SELECT seq FROM rollup_watermark")
            .fetch_one(&mut *self.connection)
            .await?;
        let mut high = before.map_or(newest, |before| newest.min(before.saturating_sub(1)));
        let mut left = MAX_BLOCKS;
        // The rows that are in no block yet, and those beside them.
        let summed_up = watermark.div_euclid(blocks::ROWS) * blocks::ROWS;
        while high >= summed_up && high > 0 {
            if left <= 0 {
                self.page.next = Some(high + 1);
                return Ok(());
            }
            let low = (high - STRIDE * blocks::ROWS + 1).max(summed_up);
            self.read(low, high).await?;
            if self.full {
                return Ok(());
            }
            left -= STRIDE;
            high = low - 1;
        }
        if high <= 0 {
            return Ok(());
        }
        let left = left.max(STRIDE);
        let found = self.blocks(high.div_euclid(blocks::ROWS), left).await?;
        let more = found.len() as i64 == left;
        let mut rest = found.as_slice();
        while let Some(last) = rest.first() {
            let together = rest
                .iter()
                .zip(0..STRIDE)
                .take_while(|(block, i)| **block == last - i)
                .count();
            let first = rest[together - 1];
            rest = &rest[together..];
            let end = (last * blocks::ROWS + blocks::ROWS - 1).min(high);
            self.read(first * blocks::ROWS, end).await?;
            if self.full {
                return Ok(());
            }
            if more && rest.is_empty() {
                self.page.next = Some(first * blocks::ROWS);
            }
        }
        Ok(())
    }

    /// The one request with this id, if it is among those that are asked for.
    async fn only(&mut self, id: Uuid, before: Option<i64>) -> Result<(), StoreError> {
        let seq: Option<i64> = query_scalar("SELECT seq FROM requests WHERE id = ?")
            .bind(id.as_bytes().to_vec())
            .fetch_optional(&mut *self.connection)
            .await?;
        match seq.filter(|seq| before.is_none_or(|before| *seq < before)) {
            Some(seq) => self.read(seq, seq).await,
            None => Ok(()),
        }
    }

    /// The blocks up to `last` in which there may be something, the latest first.
    async fn blocks(&mut self, last: i64, limit: i64) -> Result<Vec<i64>, StoreError> {
        let names = names(self.filter);
        let mut names = names.iter();
        let mut sql = match names.next() {
            Some((what, name)) => {
                let mut sql = QueryBuilder::new(
                    "SELECT n.block FROM request_block_names n JOIN request_blocks b ON b.block = n.block \
                     WHERE n.what = ",
                );
                sql.push_bind(what.as_str());
                sql.push(" AND n.name = ")
                    .push_bind(blocks::cut(name).to_owned());
                sql.push(" AND n.block <= ").push_bind(last);
                sql
            }
            None => {
                let mut sql = QueryBuilder::new(
                    "SELECT n.block FROM request_blocks n JOIN request_blocks b \
                     ON b.block = n.block WHERE n.block <= ",
                );
                sql.push_bind(last);
                sql
            }
        };
        for (what, name) in names {
            sql.push(" AND EXISTS (SELECT 1 FROM request_block_names m WHERE m.block = n.block AND m.what = ");
            sql.push_bind(what.as_str());
            sql.push(" AND m.name = ")
                .push_bind(blocks::cut(name).to_owned());
            sql.push(")");
        }
        if let Some(from) = self.filter.from {
            sql.push(" AND b.last_started_us >= ");
            sql.push_bind(from.timestamp_micros());
        }
        if let Some(to) = self.filter.to {
            sql.push(" AND b.first_started_us < ");
            sql.push_bind(to.timestamp_micros());
        }
        sql.push(" ORDER BY n.block DESC LIMIT ").push_bind(limit);
        let blocks = sql.build_query_scalar();
        Ok(blocks.fetch_all(&mut *self.connection).await?)
    }

    /// Adds the rows from `low` to `high` that are asked for, as far as there is room for them.
    async fn read(&mut self, low: i64, high: i64) -> Result<(), StoreError> {
        let room = self.limit - self.page.requests.len();
        let mut sql = select();
        sql.push(" WHERE seq BETWEEN ").push_bind(low);
        sql.push(" AND ").push_bind(high);
        push_conditions(&mut sql, self.filter);
        // One more than there is room for: whether there are others.
        sql.push(" ORDER BY seq DESC LIMIT ");
        sql.push_bind(i64::try_from(room + 1).unwrap_or(i64::MAX));
        let rows = sql.build().fetch_all(&mut *self.connection).await?;
        let fitting = rows.len().min(room);
        for row in &rows[..fitting] {
            match requests::record(row) {
                Ok(record) => self.page.requests.push(record),
                Err(error) => debug!(%error, "a row of `requests` cannot be read"),
            }
        }
        if rows.len() > room {
            self.full = true;
            self.page.next = Some(seq(&rows[fitting - 1])?);
        } else if fitting == room {
            self.full = true;
            self.page.next = (low > 1).then_some(low);
        }
        Ok(())
    }
}

fn select() -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT seq, ");
    sql.push(requests::columns());
    sql.push(" FROM requests");
    sql
}

fn seq(row: &SqliteRow) -> Result<i64, StoreError> {
    Ok(row.try_get("seq")?)
}

/// What blocks are found by. The rarest comes first, as far as one can tell from what it is.
fn names(filter: &RequestFilter) -> Vec<(What, String)> {
    let error = filter.error_kind.clone();
    let status = filter.status.map(|status| match status {
        StatusFilter::Exactly(status) => status.to_string(),
        StatusFilter::Class(hundreds) => blocks::class(hundreds),
    });
    let outcome = filter.outcome.map(|outcome| outcome.as_str().to_owned());
    let hit = (filter.cached == Some(true)).then(|| "hit".to_owned());
    [
        (What::Error, error),
        (What::Key, filter.key.clone()),
        (What::Project, filter.project.clone()),
        (What::Model, filter.model.clone()),
        (What::Status, status),
        (What::Provider, filter.provider.clone()),
        (What::Outcome, outcome),
        (What::Cache, hit),
        (What::Dialect, filter.dialect.clone()),
    ]
    .into_iter()
    .filter_map(|(what, name)| Some((what, name?)))
    .collect()
}

/// The id that is searched for, if it is one.
pub(super) fn id(filter: &RequestFilter) -> Option<Uuid> {
    Uuid::parse_str(filter.search.as_deref()?.trim()).ok()
}

/// What a row of `requests`, or of `usage_requests`, has to be, after a `WHERE` with something in it.
pub(super) fn push_conditions(sql: &mut QueryBuilder<Sqlite>, filter: &RequestFilter) {
    if let Some(from) = filter.from {
        sql.push(" AND started_at_us >= ");
        sql.push_bind(from.timestamp_micros());
    }
    if let Some(to) = filter.to {
        sql.push(" AND started_at_us < ");
        sql.push_bind(to.timestamp_micros());
    }
    for (column, name) in [
        ("requested_model", &filter.model),
        ("provider", &filter.provider),
        ("key_name", &filter.key),
        ("project", &filter.project),
        ("error_kind", &filter.error_kind),
        ("dialect", &filter.dialect),
    ] {
        if let Some(name) = name {
            sql.push(" AND ").push(column);
            sql.push(" = ").push_bind(name.clone());
        }
    }
    match filter.status {
        Some(StatusFilter::Exactly(status)) => {
            sql.push(" AND status = ").push_bind(status);
        }
        Some(StatusFilter::Class(hundreds)) => {
            sql.push(" AND status BETWEEN ").push_bind(hundreds * 100);
            sql.push(" AND ").push_bind(hundreds * 100 + 99);
        }
        None => {}
    }
    if let Some(outcome) = filter.outcome {
        sql.push(" AND outcome = ").push_bind(outcome.as_str());
    }
    if let Some(cached) = filter.cached {
        sql.push(if cached {
            " AND cache = 'hit'"
        } else {
            " AND cache <> 'hit'"
        });
    }
    if let Some(shadow) = filter.shadow {
        sql.push(if shadow {
            " AND shadow_of IS NOT NULL"
        } else {
            " AND shadow_of IS NULL"
        });
    }
    if let Some(text) = &filter.search
        && id(filter).is_none()
    {
        let pattern = containing(text.trim());
        for (before, column) in [
            (" AND (", "requested_model"),
            (" OR ", "upstream_model"),
            (" OR ", "error_message"),
        ] {
            sql.push(before).push(column);
            sql.push(" LIKE ").push_bind(pattern.clone());
            sql.push(r" ESCAPE '\'");
        }
        sql.push(")");
    }
}

/// The pattern of all texts that have `text` in them.
fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
