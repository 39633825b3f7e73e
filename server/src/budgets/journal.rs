//! What is about to be spent and what was, on disk before it happens: a file beside the database that is only ever
//! appended to. What it holds survives a killed process.
//!
//! A file is a generation: it begins with its number, and with what the database may not have yet. The database knows
//! up to where in which generation it has everything.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::record::{Record, push};
use super::tail::Tail;

/// The file, locked for as long as it is open.
#[derive(Debug)]
pub struct Journal {
    tail: Tail,
    path: PathBuf,
    pub generation: u64,
}

/// The right to a journal, for as long as this is open: a file of its own, since the journal's comes and goes.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the journal at the path.
    ///
    /// # Errors
    /// The file cannot be made, or another gateway has it (`WouldBlock`).
    pub fn take(journal: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(beside(journal, ".lock"))?;
        refuse_if_locked(&file)?;
        Ok(Self { _file: file })
    }
}

fn beside(journal: &Path, suffix: &str) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Locks it. Some file systems have no locks: then nobody shares the folder.
fn refuse_if_locked(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            "another gateway uses it",
        )),
        _ => Ok(()),
    }
}

/// A file that an earlier run left, locked.
#[derive(Debug)]
pub struct Leftover {
    _file: File,
    pub content: Vec<u8>,
}

/// What is at the path; `None`: nothing.
///
/// # Errors
/// It cannot be read, or another gateway writes to it (`WouldBlock`).
pub fn leftover(path: &Path) -> io::Result<Option<Leftover>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    refuse_if_locked(&file)?;
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(Some(Leftover {
        _file: file,
        content,
    }))
}

impl Journal {
    /// Begins a generation with these records, in place of the file that is there.
    ///
    /// # Errors
    /// The file system's; then what was there is there still.
    pub fn begin(path: &Path, generation: u64, records: &[u8]) -> io::Result<Self> {
        let new = beside(path, ".new");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        // So that a gateway that knows of no `Lock` leaves it alone.
        let _ = file.try_lock();
        let mut content = Vec::with_capacity(records.len() + 32);
        push(&mut content, &Record::Begin { generation });
        content.extend_from_slice(records);
        file.write_all(&content)?;
        std::fs::rename(&new, path)?;
        Ok(Self {
            tail: Tail::new(file, content.len() as u64),
            path: path.to_owned(),
            generation,
        })
    }

    /// # Errors
    /// The file system's; then nothing of it was written.
    pub fn append(&mut self, records: &[u8]) -> io::Result<()> {
        self.tail.append(records)
    }

    /// As where the disk is full.
    #[cfg(test)]
    pub fn break_down(&mut self) {
        let file = File::open(&self.path).expect("it is there");
        self.tail = Tail::new(file, self.tail.length);
    }

    /// In bytes, of its records.
    pub fn length(&self) -> u64 {
        self.tail.length
    }

    /// Whether it still is what is at its path.
    pub fn is_in_place(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
            let there = std::fs::metadata(&self.path).map(identity);
            let ours = self.tail.file.metadata().map(identity);
            matches!((there, ours), (Ok(there), Ok(ours)) if there == ours)
        }
        #[cfg(not(unix))]
        self.path.exists()
    }

    /// Removes the file: the database has everything.
    pub fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budgets::Amount;
    use crate::budgets::record::Records;

    #[test]
    fn only_one_has_what_is_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let lock = Lock::take(&path).unwrap();
        assert!(leftover(&path).unwrap().is_none());
        let error = Lock::take(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        Journal::begin(&path, 1, &[]).unwrap().remove();
        assert!(Lock::take(&path).is_err());
        drop(lock);
        Lock::take(&path).unwrap();
    }

    #[test]
    fn only_one_writes_to_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        assert!(leftover(&path).unwrap().is_none());
        let mut journal = Journal::begin(&path, 7, &[]).unwrap();
        assert!(journal.is_in_place());
        let error = leftover(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let mut record = Vec::new();
        let cover = Record::Cover {
            claim: 3,
            amount: Amount::default(),
        };
        push(&mut record, &cover);
        journal.append(&record).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::rename(&path, folder.path().join("moved")).unwrap();
        assert!(!journal.is_in_place());
        drop(journal);
        let left = leftover(&folder.path().join("moved")).unwrap().unwrap();
        let records: Vec<_> = Records::of(&left.content)
            .map(|(_, record)| record)
            .collect();
        assert_eq!(records, [Record::Begin { generation: 7 }, cover]);
    }
}
