//! A view as CSV or JSON lines, a page at a time.
//!
//! Each page is a short read of its own: however slowly somebody takes the export, the writer's log is never kept from
//! being folded into the database, and there is one page in memory. Rows of requests never change and have an order, so
//! that pages fit together.

use chrono::{DateTime, Utc};
use shared::analytics::{ExportView, RequestFilter};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{AssertSqlSafe, QueryBuilder, Row, query, query_scalar};

use super::value::value;
use super::{csv, json_lines};
use crate::store::{Store, StoreError, blocks, request_log};

/// Rows of `requests` that a page looks at.
const STRIDE: i64 = 2048;

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
    columns: Vec<String>,
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
            columns,
            begun: false,
            next,
            end,
        })
    }

    async fn columns_of(&self, view: ExportView) -> Result<Vec<String>, StoreError> {
        query_scalar("SELECT name FROM pragma_table_info(?) ORDER BY cid")
            .bind(name(view))
            .fetch_all(&self.reader())
            .await
            .map_err(StoreError::from)
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
        let rows = match self.view {
            ExportView::Requests => self.requests().await?,
            ExportView::Hourly => self.hour().await?,
            ExportView::Daily => self.day().await?,
        };
        for row in &rows {
            self.push(&mut out, row)?;
        }
        Ok(Some(out))
    }

    async fn requests(&mut self) -> Result<Vec<SqliteRow>, StoreError> {
        let through = (self.next + STRIDE).min(self.end);
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM usage_requests WHERE seq >= ");
        sql.push_bind(self.next);
        sql.push(" AND seq < ").push_bind(through);
        request_log::push_conditions(&mut sql, &self.filter);
        if let Some(id) = request_log::id(&self.filter) {
            sql.push(" AND id = ").push_bind(id.to_string());
        }
        sql.push(" ORDER BY seq");
        self.next = through;
        Ok(sql.build().fetch_all(&self.store.reader()).await?)
    }

    async fn hour(&mut self) -> Result<Vec<SqliteRow>, StoreError> {
        let mut connection = self.store.reader().acquire().await?;
        let start: Option<i64> = query_scalar(
            "SELECT min(bucket_start_s) FROM rollups_hour WHERE bucket_start_s >= ? AND bucket_start_s < ?",
        )
        .bind(self.next)
        .bind(self.end)
        .fetch_one(&mut *connection)
        .await?;
        let Some(start) = start else {
            self.next = self.end;
            return Ok(Vec::new());
        };
        self.next = start + 1;
        let rows = query("SELECT * FROM usage_hourly WHERE hour_start_s = ?");
        Ok(rows.bind(start).fetch_all(&mut *connection).await?)
    }

    /// A condition on a view's sums would be looked at for each day from the first on: the view's own statement gets one on
    /// what it sums up.
    async fn day(&mut self) -> Result<Vec<SqliteRow>, StoreError> {
        const FROM: &str = "FROM rollups_hour";
        const BETWEEN: &str = "FROM (SELECT * FROM rollups_hour WHERE bucket_start_s >= ?1 AND \
             bucket_start_s < ?2) AS rollups_hour";
        let mut connection = self.store.reader().acquire().await?;
        let view: String = query_scalar("SELECT sql FROM sqlite_schema WHERE name = 'usage_daily'")
            .fetch_one(&mut *connection)
            .await?;
        let select = view.find("SELECT").map(|at| &view[at..]).unwrap_or(&view);
        let sql = select.replace(FROM, BETWEEN);
        let start = self.next;
        self.next = start + 86_400;
        let rows = query(AssertSqlSafe(sql)).bind(start).bind(self.next);
        Ok(rows.fetch_all(&mut *connection).await?)
    }

    fn push(&self, out: &mut Vec<u8>, row: &SqliteRow) -> Result<(), StoreError> {
        debug_assert_eq!(row.columns().len(), self.columns.len());
        for (i, member) in self.members.iter().enumerate() {
            let value = value(row, i)?;
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
