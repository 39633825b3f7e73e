//! A view as CSV or JSON lines, a page at a time.
//!
//! Each page is a short read of its own: however slowly somebody takes the export, the writer's log is never kept from
//! being folded into the database, and there is one page in memory. Rows of requests never change and have an order, so
//! that pages fit together.

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use shared::analytics::{ExportView, RequestFilter};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, Row, query, query_scalar};

use super::value::{Column, Kind, row, select, take};
use super::{csv, json_lines};
use crate::store::{Store, StoreError, blocks, request_log};

/// Rows of `requests` that a page looks at.
const STRIDE: i64 = 2048;
/// Ends a statement. The limit, which is none, keeps SQLite from making one of the two, where each column would be computed
/// twice: for its length, too.
const END: &str = " LIMIT -1)";

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    Csv,
    JsonLines,
}

/// An export under way.
#[derive(Debug)]
pub struct ExportPages {
    store: Store,
    view: ExportView,
    format: ExportFormat,
    filter: RequestFilter,
    columns: Vec<Column>,
    /// SQL: rows in one value each, up to where they come from.
    select: String,
    members: Vec<Vec<u8>>,
    begun: bool,
    /// Where the next page begins, and where the last one ends: rows of `requests`, or seconds.
    next: i64,
    end: i64,
}

impl Store {
    /// Begins an export of what was recorded up to now. Of `filter`, sums know only the time.
    pub async fn export(
        &self,
        view: ExportView,
        format: ExportFormat,
        filter: RequestFilter,
    ) -> Result<ExportPages, StoreError> {
        let columns = self.columns_of(view).await?;
        let (next, end) = match view {
            ExportView::Requests => self.rows_within(&filter).await?,
            ExportView::Hourly => self.buckets_within(&filter, 3600).await?,
            ExportView::Daily => self.buckets_within(&filter, 86_400).await?,
        };
        Ok(ExportPages {
            store: self.clone(),
            view,
            format,
            filter,
            members: json_lines::members(&columns),
            select: format!(
                "SELECT CAST({} AS BLOB) FROM (SELECT {} FROM ",
                row(&columns),
                select(&columns)
            ),
            columns,
            begun: false,
            next,
            end,
        })
    }

    async fn columns_of(&self, view: ExportView) -> Result<Vec<Column>, StoreError> {
        let rows = query("SELECT name, type FROM pragma_table_info(?) ORDER BY cid")
            .bind(name(view))
            .fetch_all(&self.reader())
            .await?;
        let column = |row: &SqliteRow| {
            Ok(Column {
                name: row.try_get(0)?,
                kind: Kind::of(row.try_get(1)?),
            })
        };
        rows.iter().map(column).collect()
    }

    /// The first `seq` that there may be, and one past the last.
    async fn rows_within(&self, filter: &RequestFilter) -> Result<(i64, i64), StoreError> {
        let row = query(
            "SELECT coalesce(min(seq), 0), coalesce(max(seq) + 1, 0), (SELECT seq FROM rollup_watermark) \
             FROM requests",
        )
        .fetch_one(&self.reader())
        .await?;
        let (mut first, mut end, watermark): (i64, i64, i64) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if let Some(from) = filter.from {
            // What is in no block yet comes after all that is.
            let block: Option<i64> =
                query_scalar("SELECT min(block) FROM request_blocks WHERE last_started_us >= ?")
                    .bind(from.timestamp_micros())
                    .fetch_one(&self.reader())
                    .await?;
            first = first.max(block.map_or(watermark + 1, |block| block * blocks::ROWS));
        }
        if let Some(to) = filter.to
            && watermark + 1 >= end
        {
            let block: Option<i64> =
                query_scalar("SELECT max(block) FROM request_blocks WHERE first_started_us < ?")
                    .bind(to.timestamp_micros())
                    .fetch_one(&self.reader())
                    .await?;
            end = end.min(block.map_or(0, |block| (block + 1) * blocks::ROWS));
        }
        Ok((first, end))
    }

    /// The first bucket that there may be, and the second after the last.
    async fn buckets_within(
        &self,
        filter: &RequestFilter,
        width_s: i64,
    ) -> Result<(i64, i64), StoreError> {
        let row = query(
            "SELECT coalesce(min(bucket_start_s), 0), coalesce(max(bucket_start_s) + 1, 0) FROM rollups_hour",
        )
        .fetch_one(&self.reader())
        .await?;
        let (first, end): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let second = |time: DateTime<Utc>| time.timestamp();
        let first = first.max(filter.from.map_or(i64::MIN, second));
        let up = |time: DateTime<Utc>| {
            second(time).saturating_add(i64::from(time.timestamp_subsec_nanos() > 0))
        };
        let end = end.min(filter.to.map_or(i64::MAX, up));
        Ok((first - first.rem_euclid(width_s), end))
    }
}

impl ExportPages {
    /// The next piece, which may be empty; `None`: that was all.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut out = Vec::new();
        if !self.begun {
            self.begun = true;
            if self.format == ExportFormat::Csv {
                csv::push_header(&mut out, &self.columns);
                return Ok(Some(out));
            }
        }
        if self.next >= self.end {
            return Ok(None);
        }
        let sql = match self.view {
            ExportView::Requests => Some(self.requests()),
            ExportView::Hourly => self.hour().await?,
            ExportView::Daily => Some(self.day().await?),
        };
        let Some(mut sql) = sql else {
            return Ok(Some(out));
        };
        let mut connection = self.store.reader().acquire().await?;
        // What has come is written while SQLite reads on.
        let mut rows = sql.build().fetch(&mut *connection);
        while let Some(row) = rows.try_next().await? {
            self.push(&mut out, row.try_get(0)?)?;
        }
        Ok(Some(out))
    }

    fn requests(&mut self) -> QueryBuilder<Sqlite> {
        let through = (self.next + STRIDE).min(self.end);
        let mut sql = QueryBuilder::new(self.select.as_str());
        sql.push("usage_requests WHERE seq >= ");
        sql.push_bind(self.next);
        sql.push(" AND seq < ").push_bind(through);
        request_log::push_conditions(&mut sql, &self.filter);
        if let Some(id) = request_log::id(&self.filter) {
            sql.push(" AND id = ").push_bind(id.to_string());
        }
        sql.push(" ORDER BY seq").push(END);
        self.next = through;
        sql
    }

    /// `None`: there are no others.
    async fn hour(&mut self) -> Result<Option<QueryBuilder<Sqlite>>, StoreError> {
        let start: Option<i64> = query_scalar(
            "SELECT min(bucket_start_s) FROM rollups_hour WHERE bucket_start_s >= ? AND bucket_start_s < ?",
        )
        .bind(self.next)
        .bind(self.end)
        .fetch_one(&self.store.reader())
        .await?;
        let Some(start) = start else {
            self.next = self.end;
            return Ok(None);
        };
        self.next = start + 1;
        let mut sql = QueryBuilder::new(self.select.as_str());
        sql.push("usage_hourly WHERE hour_start_s = ");
        sql.push_bind(start).push(END);
        Ok(Some(sql))
    }

    /// A condition on a view's sums would be looked at for each day from the first on: the view's own statement gets one on
    /// what it sums up.
    async fn day(&mut self) -> Result<QueryBuilder<Sqlite>, StoreError> {
        const FROM: &str = "FROM rollups_hour";
        let view: String = query_scalar("SELECT sql FROM sqlite_schema WHERE name = 'usage_daily'")
            .fetch_one(&self.store.reader())
            .await?;
        let select = view.find("SELECT").map(|at| &view[at..]).unwrap_or(&view);
        let (columns, sums) = select.split_once(FROM).unwrap_or((select, ""));
        let start = self.next;
        self.next = start + 86_400;
        let mut sql = QueryBuilder::new(self.select.as_str());
        sql.push("(").push(columns);
        sql.push("FROM (SELECT * FROM rollups_hour WHERE bucket_start_s >= ");
        sql.push_bind(start);
        sql.push(" AND bucket_start_s < ").push_bind(self.next);
        sql.push(") AS rollups_hour").push(sums);
        sql.push(")").push(END);
        Ok(sql)
    }

    fn push(&self, out: &mut Vec<u8>, mut row: &[u8]) -> Result<(), StoreError> {
        for (i, (column, member)) in self.columns.iter().zip(&self.members).enumerate() {
            let value = take(&mut row, column.kind);
            let value =
                value.ok_or_else(|| StoreError::Corrupt(format!("`{}` of a row", column.name)))?;
            match self.format {
                ExportFormat::Csv => csv::push(out, i, value),
                ExportFormat::JsonLines => json_lines::push(out, i, member, value),
            }
        }
        match self.format {
            ExportFormat::Csv => csv::end(out),
            ExportFormat::JsonLines => json_lines::end(out),
        }
        Ok(())
    }
}

/// Of the view in the database.
pub(super) fn name(view: ExportView) -> &'static str {
    match view {
        ExportView::Requests => "usage_requests",
        ExportView::Hourly => "usage_hourly",
        ExportView::Daily => "usage_daily",
    }
}
