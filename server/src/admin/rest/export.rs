//! What was recorded, for other programs.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use futures_util::stream;
use shared::AdminError;
use shared::analytics::{ExportQuery, ExportView, RequestFilter};
use tokio::io::AsyncReadExt;

use super::parameters::Parameters;
use super::requests::{filter, times};
use crate::admin::AdminState;
use crate::admin::problem::Problem;
use crate::store::{ExportFormat, ExportPages, SnapshotError, StoreError};

pub(in crate::admin) const SQLITE: &str = "application/vnd.sqlite3";
pub(in crate::admin) const CSV: &str = "text/csv; charset=utf-8; header=present";
pub(in crate::admin) const JSON_LINES: &str = "application/jsonl";
/// What is read from a file at once.
const CHUNK: usize = 64 * 1024;

/// `GET /api/v1/export/sqlite`
pub(in crate::admin) async fn sqlite(
    State(state): State<AdminState>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.end()?;
    let snapshot = state.api.store.snapshot().await.map_err(no_snapshot)?;
    let opened = async {
        let file = tokio::fs::File::open(snapshot.path()).await?;
        let length = file.metadata().await?.len();
        io::Result::Ok((file, length))
    };
    let (file, length) = opened
        .await
        .map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    // The file goes with the body: when all of it is sent, or nobody takes it any more.
    let body = stream::try_unfold((file, snapshot), async |(mut file, snapshot)| {
        let mut chunk = Vec::with_capacity(CHUNK);
        let more = file.read_buf(&mut chunk).await? > 0;
        io::Result::Ok(more.then(|| (Bytes::from(chunk), (file, snapshot))))
    });
    let mut response = attached(SQLITE, "usage", "db", Body::from_stream(body));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    Ok(response)
}

/// `GET /api/v1/export/csv?view=requests|hourly|daily&from=…&to=…`, of requests with the filters of the request log
pub(in crate::admin) async fn csv(
    State(state): State<AdminState>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let ExportQuery { view, filter } = what(parameters)?;
    let pages = state.api.store.export(view, ExportFormat::Csv, filter);
    let body = body(pages.await.map_err(unavailable)?);
    Ok(attached(CSV, view.as_str(), "csv", body))
}

/// `GET /api/v1/export/jsonl`, the same
pub(in crate::admin) async fn json_lines(
    State(state): State<AdminState>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let ExportQuery { view, filter } = what(parameters)?;
    let pages = state
        .api
        .store
        .export(view, ExportFormat::JsonLines, filter);
    let body = body(pages.await.map_err(unavailable)?);
    Ok(attached(JSON_LINES, view.as_str(), "jsonl", body))
}

fn what(mut parameters: Parameters) -> Result<ExportQuery, Problem> {
    let view = parameters.parsed("view").unwrap_or_default();
    let filter = if view == ExportView::Requests {
        filter(&mut parameters)
    } else {
        let (from, to) = times(&mut parameters);
        RequestFilter {
            from,
            to,
            ..RequestFilter::default()
        }
    };
    parameters.end()?;
    Ok(ExportQuery { view, filter })
}

/// A page at a time, as somebody takes it. What breaks off is not ended properly: the client sees that it is not all.
fn body(pages: ExportPages) -> Body {
    Body::from_stream(stream::try_unfold(pages, async |mut pages| {
        let page = pages.next().await;
        let page = page.inspect_err(|error| tracing::warn!(%error, "An export has broken off"));
        Ok::<_, StoreError>(page?.map(|page| (Bytes::from(page), pages)))
    }))
}

fn attached(kind: &'static str, name: &str, suffix: &str, body: Body) -> Response {
    let now = Utc::now().format("%Y-%m-%dT%H-%M-%SZ");
    let disposition = format!("attachment; filename=\"{name}-{now}.{suffix}\"");
    let disposition = HeaderValue::from_str(&disposition).expect("it is ASCII");
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, body).into_response()
}

fn unavailable(error: StoreError) -> Problem {
    AdminError::Unavailable {
        message: error.to_string(),
    }
    .into()
}

fn no_snapshot(error: SnapshotError) -> Problem {
    match error {
        SnapshotError::NoRoom { .. } => {
            Problem::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string())
        }
        SnapshotError::Store(error) => unavailable(error),
    }
}
