//! The audit log: the changes with what each of them did, and whether the chain of their hashes holds.
//!
//! A change's hash covers its values and the hash before it. So a row that was altered, put in, moved or taken out is
//! found, unless whoever did it wrote all hashes after it anew: against that, a hash that was noted elsewhere helps
//! (`includes`). Rows cut off the end leave a chain that holds; the table's counter tells of them, as long as it was not
//! set back as well.

use std::path::Path;

use futures_util::TryStreamExt;
use serde_json::Value;
use shared::audit::{
    AuditEntry, AuditPage, AuditQuery, ChainProblem, ChainProblemKind, ChainReport, ChangeKind,
    FieldChange,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Connection, QueryBuilder, Row};

use super::changes::{Hashed, change};
use super::{Store, StoreError, What};

/// Of an answer.
const MOST: usize = 1000;
const MOST_PROBLEMS: usize = 100;

impl Store {
    /// Changes with what each did to the version before, the latest first.
    pub async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        let limit = query.limit.unwrap_or(100).clamp(1, MOST);
        let mut sql = QueryBuilder::new(
            "SELECT seq, kind, name, version, what, value, reason, changed_by, changed_at_us, hash, \
             (SELECT before.value FROM changes AS before WHERE before.kind = changes.kind \
              AND before.name = changes.name AND before.version < changes.version \
              ORDER BY before.version DESC LIMIT 1) AS value_before \
             FROM changes WHERE 1",
        );
        for (column, wanted) in [
            ("kind", &query.kind),
            ("name", &query.name),
            ("changed_by", &query.by),
        ] {
            if let Some(wanted) = wanted {
                sql.push(format_args!(" AND {column} = ")).push_bind(wanted);
            }
        }
        if let Some(from) = query.from {
            sql.push(" AND changed_at_us >= ")
                .push_bind(from.timestamp_micros());
        }
        if let Some(to) = query.to {
            sql.push(" AND changed_at_us < ")
                .push_bind(to.timestamp_micros());
        }
        if let Some(after) = query.after {
            sql.push(" AND seq < ")
                .push_bind(i64::try_from(after).unwrap_or(i64::MAX));
        }
        sql.push(" ORDER BY seq DESC LIMIT ")
            .push_bind(limit as i64 + 1);
        let rows = sql.build().fetch_all(&self.reader()).await?;
        let mut entries: Vec<AuditEntry> = rows.iter().map(entry).collect();
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(|last| last.seq);
        Ok(AuditPage { entries, next })
    }

    /// Follows the chain from its beginning. `includes`: a hash that has to be in it, in hex.
    pub async fn verify_audit(&self, includes: Option<&str>) -> Result<ChainReport, StoreError> {
        let mut connection = self.reader().acquire().await?;
        verify(&mut connection, includes).await
    }
}

/// The same of a file, whether or not a gateway uses it. Its schema stays as it is.
///
/// # Errors
/// There is no such file, or it is no gateway's database.
pub async fn verify_audit_of(
    file: &Path,
    includes: Option<&str>,
) -> Result<ChainReport, StoreError> {
    let opened = SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .disable_statement_logging()
        .connect()
        .await;
    let mut connection = opened.map_err(|source| StoreError::Open {
        path: file.to_owned(),
        source,
    })?;
    let report = verify(&mut connection, includes).await;
    let _ = connection.close().await;
    report
}

async fn verify(
    connection: &mut SqliteConnection,
    includes: Option<&str>,
) -> Result<ChainReport, StoreError> {
    // One view of everything, whatever is written meanwhile.
    let mut transaction = connection.begin().await?;
    let highest: i64 = sqlx::query_scalar(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)",
    )
    .fetch_one(&mut *transaction)
    .await?;
    let mut chain = Chain::default();
    {
        // As bytes: whoever altered it need not have written text.
        let mut rows = sqlx::query(
            "SELECT seq, CAST(kind AS BLOB), CAST(name AS BLOB), version, CAST(what AS BLOB), \
             CAST(value AS BLOB), CAST(reason AS BLOB), CAST(changed_by AS BLOB), changed_at_us, hash \
             FROM changes ORDER BY seq",
        )
        .fetch(&mut *transaction);
        while let Some(row) = rows.try_next().await? {
            chain.follow(&row, includes)?;
        }
    }
    transaction.rollback().await?;
    if highest > chain.last_seq {
        let (last, gone) = (chain.last_seq, chain.last_seq.saturating_add(1));
        chain.report(
            ChainProblemKind::CutOff,
            Some(gone),
            format!(
                "{} cut off the end: the log ends with entry {last}, and has had {highest}",
                those(gone, highest)
            ),
        );
    }
    if let Some(includes) = includes
        && !chain.found
    {
        chain.report(
            ChainProblemKind::NotIncluded,
            None,
            format!(
                "no entry has the hash {includes}: the log is another one, or was written anew"
            ),
        );
    }
    Ok(ChainReport {
        intact: chain.problems.is_empty(),
        entries: chain.entries,
        last_hash: (chain.entries > 0).then(|| hex(&chain.hash)),
        problems: chain.problems,
    })
}

/// The chain as far as it was followed.
#[derive(Default)]
struct Chain {
    entries: u64,
    last_seq: i64,
    /// Of the last one, as it stands there.
    hash: Vec<u8>,
    /// The hash that was asked for.
    found: bool,
    problems: Vec<ChainProblem>,
}

impl Chain {
    fn follow(&mut self, row: &SqliteRow, includes: Option<&str>) -> Result<(), StoreError> {
        let seq: i64 = row.try_get(0)?;
        let hashed = Hashed {
            kind: row.try_get(1)?,
            name: row.try_get(2)?,
            version: row.try_get(3)?,
            what: row.try_get(4)?,
            value: row.try_get(5)?,
            reason: row.try_get(6)?,
            by: row.try_get(7)?,
            at_us: row.try_get(8)?,
        };
        let hash: Vec<u8> = row.try_get(9)?;
        let expected = self.last_seq.saturating_add(1);
        if seq > expected {
            let gone = those(expected, seq - 1);
            self.report(
                ChainProblemKind::Missing,
                Some(expected),
                format!("{gone} missing"),
            );
        }
        // After a gap nobody knows what the hash before was: only the rows after it can be checked.
        let follows = seq == expected;
        if seq < expected || (follows && hash != hashed.after(&self.hash)) {
            let message = format!(
                "entry {seq} ({} \"{}\", version {}, by {}): it, or its place in the log, is not what was written",
                String::from_utf8_lossy(hashed.kind),
                String::from_utf8_lossy(hashed.name),
                hashed.version,
                String::from_utf8_lossy(hashed.by),
            );
            self.report(ChainProblemKind::Altered, Some(seq), message);
        }
        if includes.is_some_and(|includes| hex(&hash).eq_ignore_ascii_case(includes)) {
            self.found = true;
        }
        self.entries += 1;
        self.last_seq = seq;
        self.hash = hash;
        Ok(())
    }

    fn report(&mut self, kind: ChainProblemKind, seq: Option<i64>, message: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(ChainProblem {
                kind,
                seq: seq.and_then(|seq| u64::try_from(seq).ok()),
                message,
            });
        }
    }
}

fn those(first: i64, last: i64) -> String {
    match first == last {
        true => format!("entry {first} is"),
        false => format!("entries {first} to {last} are"),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An entry, also of a row that somebody has altered.
fn entry(row: &SqliteRow) -> AuditEntry {
    let seq: i64 = row.try_get("seq").unwrap_or_default();
    let change = change(row);
    let text = |column: &str| {
        let bytes: Option<Vec<u8>> = row.try_get(column).ok().flatten();
        bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    let (what, after, problem) = match change.what {
        What::Put(value) => {
            let problem = serde_json::from_str::<Value>(&value).err();
            let problem = problem.map(|error| format!("value is not JSON: {error}"));
            let what = match problem {
                None => ChangeKind::Put,
                Some(_) => ChangeKind::Unreadable,
            };
            (what, Some(value), problem)
        }
        What::Delete => (ChangeKind::Delete, None, None),
        What::Reset => (ChangeKind::Reset, None, None),
        What::Unreadable(problem) => (ChangeKind::Unreadable, text("value"), Some(problem)),
    };
    let hash: Vec<u8> = row.try_get("hash").unwrap_or_default();
    let before = text("value_before");
    AuditEntry {
        seq: seq.unsigned_abs(),
        kind: change.kind,
        name: change.name,
        version: change.version,
        what,
        problem,
        reason: change.reason,
        by: change.by,
        at: change.at,
        diff: diff(before.as_deref().map(parsed), after.as_deref().map(parsed)),
        hash: hex(&hash),
    }
}

/// A value that is not JSON, as no gateway writes it, is shown as what it is.
fn parsed(value: &str) -> Value {
    serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()))
}

fn diff(before: Option<Value>, after: Option<Value>) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare(String::new(), before, after, &mut changes);
    changes
}

fn compare(
    field: String,
    before: Option<Value>,
    after: Option<Value>,
    changes: &mut Vec<FieldChange>,
) {
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(mut after))) => {
            let inner = |name: &str| match field.as_str() {
                "" => name.to_owned(),
                field => format!("{field}.{name}"),
            };
            for (name, value) in before {
                compare(inner(&name), Some(value), after.remove(&name), changes);
            }
            for (name, value) in after {
                compare(inner(&name), None, Some(value), changes);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            let (mut before, mut after) = (before.into_iter(), after.into_iter());
            for i in 0.. {
                match (before.next(), after.next()) {
                    (None, None) => break,
                    (one, other) => compare(format!("{field}[{i}]"), one, other, changes),
                }
            }
        }
        (before, after) if before == after => {}
        (before, after) => changes.push(FieldChange {
            field,
            before,
            after,
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tells_what_became_of_each_field() {
        let before = json!({"rate": {"requests": 1, "window_seconds": 60}, "list": ["a", "b"], "gone": true});
        let after = json!({"rate": {"requests": 2, "window_seconds": 60}, "list": ["a", "c", "d"], "new": {"x": 1}});
        let changes = diff(Some(before.clone()), Some(after));
        let changes = serde_json::to_value(changes).unwrap();
        assert_eq!(
            changes,
            json!([
                {"field": "gone", "before": true},
                {"field": "list[1]", "before": "b", "after": "c"},
                {"field": "list[2]", "after": "d"},
                {"field": "rate.requests", "before": 1, "after": 2},
                {"field": "new", "after": {"x": 1}},
            ])
        );
        assert_eq!(diff(Some(before.clone()), Some(before)), []);
        let made = diff(None, Some(json!({"x": 1})));
        assert_eq!(
            serde_json::to_value(made).unwrap(),
            json!([{"field": "", "after": {"x": 1}}])
        );
    }
}
