//! What is in each run of rows of `requests`: what the request log searches by.
//!
//! A block says which names its rows have, and between what times they began. It says so with a row or two a name, where
//! an index would have one a request. It may say too much, never too little: whoever finds a block compares its rows.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, LazyLock};

use llm::error::ErrorKind;
use sqlx::query;
use sqlx::sqlite::SqliteConnection;

use super::{StoreError, requests};
use crate::recording::record::RequestRecord;

/// Rows of a block: `seq / ROWS` is its number. Migration 10 has the same.
pub(super) const ROWS: i64 = 256;
/// Longer names are cut, as migration 10 does.
const MAX_NAME_CHARS: usize = 100;
/// What a row may have a name of.
const NAMED: usize = 7;
/// Rows an INSERT has, largest first.
const SHAPES: [usize; 2] = [32, 1];

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    Key,
    Project,
    Model,
    Provider,
    Dialect,
    Status,
    Outcome,
    Error,
    Cache,
}

impl What {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Project => "project",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Dialect => "dialect",
            Self::Status => "status",
            Self::Outcome => "outcome",
            Self::Error => "error",
            Self::Cache => "cache",
        }
    }
}

/// As blocks have it.
pub(super) fn cut(name: &str) -> &str {
    match name.char_indices().nth(MAX_NAME_CHARS) {
        Some((end, _)) => &name[..end],
        None => name,
    }
}

/// Blocks that have grown.
#[derive(Debug, Default)]
pub(super) struct Blocks(BTreeMap<i64, Block>);

#[derive(Debug)]
struct Block {
    first_us: i64,
    last_us: i64,
    names: HashSet<(What, Arc<str>)>,
    /// The last of each kind: mostly the next is the very same.
    last: [Option<Arc<str>>; NAMED],
    statuses: BTreeSet<u16>,
    errors: BTreeSet<&'static str>,
}

impl Blocks {
    /// The row `seq` is this.
    pub(super) fn add(&mut self, seq: i64, record: &RequestRecord) {
        let block = self.0.entry(seq.div_euclid(ROWS)).or_insert(Block {
            first_us: i64::MAX,
            last_us: i64::MIN,
            names: HashSet::new(),
            last: Default::default(),
            statuses: BTreeSet::new(),
            errors: BTreeSet::new(),
        });
        block.first_us = block.first_us.min(record.started_at_us);
        block.last_us = block.last_us.max(record.started_at_us);
        let named: [_; NAMED] = [
            (What::Key, record.key.as_ref()),
            (What::Project, record.project.as_ref()),
            (What::Model, record.requested_model.as_ref()),
            (What::Provider, record.provider.as_ref()),
            (What::Dialect, Some(&record.dialect)),
            (What::Outcome, Some(requests::outcome_name(record.outcome))),
            (What::Cache, Some(requests::cache_name(record.cache))),
        ];
        for ((what, name), last) in named.into_iter().zip(&mut block.last) {
            let Some(name) = name else { continue };
            if last.as_ref() == Some(name) {
                continue;
            }
            *last = Some(Arc::clone(name));
            let name = if name.len() <= MAX_NAME_CHARS {
                Arc::clone(name)
            } else {
                cut(name).into()
            };
            block.names.insert((what, name));
        }
        block.statuses.insert(record.status);
        block
            .errors
            .extend(record.error_kind.map(ErrorKind::as_str));
    }

    /// Writes them, beside what is there already.
    pub(super) async fn write(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        for (number, block) in self.0 {
            query(
                "INSERT INTO request_blocks (block, first_started_us, last_started_us) VALUES (?, ?, ?) \
                 ON CONFLICT (block) DO UPDATE SET \
                 first_started_us = min(first_started_us, excluded.first_started_us), \
                 last_started_us = max(last_started_us, excluded.last_started_us)",
            )
            .bind(number)
            .bind(block.first_us)
            .bind(block.last_us)
            .execute(&mut *connection)
            .await?;
            write_names(connection, number, &block.into_names()).await?;
        }
        Ok(())
    }
}

impl Block {
    fn into_names(self) -> Vec<(What, Cow<'static, str>)> {
        let names = self.names.into_iter();
        let names = names.map(|(what, name)| (what, Cow::Owned(name.as_ref().to_owned())));
        let statuses = self.statuses.iter();
        let statuses = statuses.flat_map(|status| [status.to_string(), class(status / 100)]);
        let statuses: BTreeSet<String> = statuses.collect();
        let statuses = statuses.into_iter();
        let statuses = statuses.map(|name| (What::Status, Cow::Owned(name)));
        let errors = self.errors.into_iter();
        let errors = errors.map(|kind| (What::Error, Cow::Borrowed(kind)));
        names.chain(statuses).chain(errors).collect()
    }
}

/// The name of all statuses with this first digit, for example `4xx`.
pub(super) fn class(hundreds: u16) -> String {
    format!("{hundreds}xx")
}

async fn write_names(
    connection: &mut SqliteConnection,
    block: i64,
    mut rest: &[(What, Cow<'static, str>)],
) -> Result<(), StoreError> {
    static INSERTS: LazyLock<[String; SHAPES.len()]> = LazyLock::new(|| {
        SHAPES.map(|rows| {
            let values = vec!["(?, ?, ?)"; rows].join(", ");
            format!("INSERT OR IGNORE INTO request_block_names (what, name, block) VALUES {values}")
        })
    });
    for (rows, sql) in SHAPES.into_iter().zip(INSERTS.iter()) {
        while rest.len() >= rows {
            let (now, later) = rest.split_at(rows);
            rest = later;
            let mut insert = query(sql.as_str());
            for (what, name) in now {
                insert = insert.bind(what.as_str()).bind(name.as_ref()).bind(block);
            }
            insert.execute(&mut *connection).await?;
        }
    }
    Ok(())
}
