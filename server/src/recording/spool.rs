//! Records on disk, while the database does not take them.
//!
//! A folder of segments, each a file of lines: a CRC-32 in hexadecimal, a space, a record as JSON.
//! A segment that is being written is locked, so that another gateway which shares the folder
//! leaves it alone; one that a dead process left is anybody's.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::record::RequestRecord;

/// A segment is closed when it has reached this size: what is read into memory at once.
const SEGMENT_BYTES: u64 = 4 << 20;
const EXTENSION: &str = "jsonl";

/// The records that wait on disk. Bounded in size.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    max_bytes: u64,
    open: Option<OpenSegment>,
    /// Closed ones, oldest first.
    closed: VecDeque<Segment>,
    bytes: u64,
    records: u64,
    line: Vec<u8>,
}

#[derive(Debug)]
struct OpenSegment {
    /// Locked for as long as it is open.
    file: File,
    segment: Segment,
}

/// One file of the spool.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    path: PathBuf,
    bytes: u64,
    pub(super) records: u64,
}

impl Spool {
    /// A spool in `folder`, which is created when it is needed.
    pub(super) fn new(folder: PathBuf, max_bytes: u64) -> Self {
        Self {
            folder,
            max_bytes,
            open: None,
            closed: VecDeque::new(),
            bytes: 0,
            records: 0,
            line: Vec::new(),
        }
    }

    /// Records that wait.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Takes over what earlier runs left in the folder.
    pub(super) fn adopt_leftovers(&mut self) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let ours = |segment: &Segment| segment.path == path;
            if path
                .extension()
                .is_none_or(|extension| extension != EXTENSION)
                || self.open.as_ref().is_some_and(|open| ours(&open.segment))
                || self.closed.iter().any(ours)
            {
                continue;
            }
            let content = match read_unlocked(&path) {
                Ok(Some(content)) => content,
                Ok(None) => continue,
                // Another gateway that shares the folder has written it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            found.push(Segment {
                path,
                bytes: content.len() as u64,
                records: content.iter().filter(|byte| **byte == b'\n').count() as u64,
            });
        }
        // Names begin with the time.
        found.sort_by(|a, b| a.path.cmp(&b.path));
        for segment in found.into_iter().rev() {
            self.bytes += segment.bytes;
            self.records += segment.records;
            self.closed.push_front(segment);
        }
        Ok(())
    }

    /// Appends records while there is room. Returns how many of them, from the front, are on disk
    /// now.
    ///
    /// # Errors
    /// Where the file system fails; then none of them is.
    pub(super) fn append(&mut self, records: &[RequestRecord]) -> io::Result<usize> {
        let mut lines = std::mem::take(&mut self.line);
        lines.clear();
        let mut taken = 0;
        for record in records {
            let before = lines.len();
            push_line(&mut lines, record);
            if self.bytes + lines.len() as u64 > self.max_bytes {
                lines.truncate(before);
                break;
            }
            taken += 1;
        }
        let written = if taken == 0 {
            Ok(())
        } else {
            self.write(&lines, taken as u64)
        };
        lines.shrink_to(64 << 10);
        self.line = lines;
        written.map(|()| taken)
    }

    /// The segment to be written to the database next.
    pub(super) fn oldest(&mut self) -> Option<Segment> {
        if self.closed.is_empty() {
            self.close_open();
        }
        self.closed.front().cloned()
    }

    /// Removes a segment from the disk: all of it is in the database.
    pub(super) fn remove(&mut self, segment: &Segment) -> io::Result<()> {
        self.forget(segment);
        match fs::remove_file(&segment.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if self.open.is_none() && self.closed.is_empty() {
            // Only if it is empty; another gateway may use it.
            let _ = fs::remove_dir(&self.folder);
        }
        Ok(())
    }

    /// Leaves a segment on the disk, for the next start or for a person to look at.
    pub(super) fn forget(&mut self, segment: &Segment) {
        let before = self.closed.len();
        self.closed.retain(|closed| closed.path != segment.path);
        if self.closed.len() < before {
            self.bytes -= segment.bytes;
            self.records -= segment.records;
        }
    }

    fn write(&mut self, lines: &[u8], records: u64) -> io::Result<()> {
        // Someone may have deleted the file or the folder meanwhile.
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.segment.bytes >= SEGMENT_BYTES || !open.segment.path.exists())
        {
            self.close_open();
        }
        if self.open.is_none() {
            self.open = Some(OpenSegment::create(&self.folder)?);
        }
        let open = self.open.as_mut().expect("opened above");
        if let Err(error) = open.file.write_all(lines) {
            // Half a line would spoil the next one.
            let _ = open.file.set_len(open.segment.bytes);
            self.close_open();
            return Err(error);
        }
        open.segment.bytes += lines.len() as u64;
        open.segment.records += records;
        self.bytes += lines.len() as u64;
        self.records += records;
        Ok(())
    }

    fn close_open(&mut self) {
        if let Some(open) = self.open.take() {
            if open.segment.records > 0 {
                self.closed.push_back(open.segment);
            } else {
                let _ = fs::remove_file(&open.segment.path);
            }
        }
    }
}

impl OpenSegment {
    fn create(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut time_us = SystemTime::UNIX_EPOCH
            .elapsed()
            .map_or(0, |elapsed| elapsed.as_micros());
        loop {
            let name = format!("{time_us:017}-{}.{EXTENSION}", std::process::id());
            let path = folder.join(name);
            let mut options = OpenOptions::new();
            options.append(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => time_us += 1,
                Err(error) => return Err(error),
                Ok(file) => {
                    // Some file systems have no locks: then nobody shares the folder.
                    let _ = file.try_lock();
                    return Ok(Self {
                        file,
                        segment: Segment {
                            path,
                            bytes: 0,
                            records: 0,
                        },
                    });
                }
            }
        }
    }
}

/// Reads a segment, some records at a time.
#[derive(Debug)]
pub(super) struct SegmentReader {
    pub(super) segment: Segment,
    content: Vec<u8>,
    position: usize,
    /// Lines so far that are not records, for example one that was cut short by a power failure.
    pub(super) damaged: u64,
}

impl SegmentReader {
    pub(super) fn open(segment: Segment) -> io::Result<Self> {
        let content = fs::read(&segment.path)?;
        Ok(Self {
            segment,
            content,
            position: 0,
            damaged: 0,
        })
    }

    /// The next records, at most `max`; none at the end.
    pub(super) fn next(&mut self, max: usize) -> Vec<RequestRecord> {
        let mut records = Vec::new();
        while records.len() < max && self.position < self.content.len() {
            let rest = &self.content[self.position..];
            let end = rest.iter().position(|byte| *byte == b'\n');
            let line = &rest[..end.unwrap_or(rest.len())];
            self.position += line.len() + 1;
            match parse_line(line) {
                Some(record) => records.push(record),
                None => self.damaged += 1,
            }
        }
        records
    }
}

/// All records in a spool's folder, also those that a living gateway is writing just now; they stay there.
///
/// # Errors
/// The file system's.
pub(crate) fn spooled(folder: &Path) -> io::Result<Vec<RequestRecord>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut records = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|found| found != EXTENSION) {
            continue;
        }
        let content = match fs::read(&path) {
            // All of it is in the database meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            content => content?,
        };
        let lines = content.split(|byte| *byte == b'\n');
        records.extend(lines.filter_map(parse_line));
    }
    Ok(records)
}

/// What is in the file, unless a living gateway writes to it.
fn read_unlocked(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Ok(None);
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    Ok(Some(content))
}

fn push_line(out: &mut Vec<u8>, record: &RequestRecord) {
    const CRC_DIGITS: usize = 8;
    let start = out.len();
    out.extend_from_slice(&[b' '; CRC_DIGITS + 1]);
    serde_json::to_writer(&mut *out, record).expect("names and numbers are always JSON");
    let crc = crc32fast::hash(&out[start + CRC_DIGITS + 1..]);
    out[start..start + CRC_DIGITS].copy_from_slice(format!("{crc:08x}").as_bytes());
    out.push(b'\n');
}

fn parse_line(line: &[u8]) -> Option<RequestRecord> {
    let (crc, rest) = line.split_at_checked(8)?;
    let json = rest.strip_prefix(b" ")?;
    let crc = u32::from_str_radix(std::str::from_utf8(crc).ok()?, 16).ok()?;
    (crc32fast::hash(json) == crc)
        .then(|| serde_json::from_slice(json).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::recording::samples::{NOON_US, any_record, record_at};

    fn content(spool: &mut Spool) -> (Vec<RequestRecord>, u64) {
        let mut records = Vec::new();
        let mut damaged = 0;
        while let Some(segment) = spool.oldest() {
            let mut reader = SegmentReader::open(segment).unwrap();
            loop {
                let some = reader.next(3);
                if some.is_empty() {
                    break;
                }
                records.extend(some);
            }
            damaged += reader.damaged;
            spool.remove(&reader.segment).unwrap();
        }
        (records, damaged)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_is_spooled_comes_back_in_order(records in prop::collection::vec(any_record(), 1..10)) {
            let folder = tempfile::tempdir().unwrap();
            let mut spool = Spool::new(folder.path().join("spool"), 1 << 20);
            for record in &records {
                prop_assert_eq!(spool.append(std::slice::from_ref(record)).unwrap(), 1);
            }
            prop_assert_eq!(spool.records(), records.len() as u64);
            prop_assert_eq!(content(&mut spool), (records, 0));
            prop_assert_eq!(spool.records(), 0);
            prop_assert!(!folder.path().join("spool").exists());
        }

        #[test]
        fn reading_never_panics(content in prop::collection::vec(any::<u8>(), 0..300)) {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("1.jsonl"), content).unwrap();
            let mut spool = Spool::new(folder.path().to_owned(), 1 << 20);
            spool.adopt_leftovers().unwrap();
            prop_assert_eq!(self::content(&mut spool).0.len(), 0);
        }
    }

    #[test]
    fn a_torn_last_line_is_one_damaged_record() {
        let folder = tempfile::tempdir().unwrap();
        let records = [record_at(NOON_US), record_at(NOON_US + 1)];
        let mut lines = Vec::new();
        for record in &records {
            push_line(&mut lines, record);
        }
        fs::write(folder.path().join("1.jsonl"), &lines[..lines.len() - 40]).unwrap();
        let mut spool = Spool::new(folder.path().to_owned(), 1 << 20);
        spool.adopt_leftovers().unwrap();
        assert_eq!(content(&mut spool), (records[..1].to_vec(), 1));
    }

    #[test]
    fn the_size_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let records = vec![record_at(NOON_US); 10];
        let mut line = Vec::new();
        push_line(&mut line, &records[0]);
        let mut spool = Spool::new(folder.path().to_owned(), line.len() as u64 * 4);
        assert_eq!(spool.append(&records[..3]).unwrap(), 3);
        assert_eq!(spool.append(&records[3..]).unwrap(), 1);
        assert_eq!(spool.append(&records[4..]).unwrap(), 0);
        assert_eq!(content(&mut spool).0.len(), 4);
        assert_eq!(spool.append(&records[4..]).unwrap(), 4);
    }

    #[test]
    fn a_segment_that_a_living_gateway_writes_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut living = Spool::new(folder.path().to_owned(), 1 << 20);
        living.append(&[record_at(NOON_US)]).unwrap();
        let mut other = Spool::new(folder.path().to_owned(), 1 << 20);
        other.adopt_leftovers().unwrap();
        assert!(other.oldest().is_none());
        drop(living);
        other.adopt_leftovers().unwrap();
        assert_eq!(content(&mut other).0.len(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let mut spool = Spool::new(folder.path().join("file/spool"), 1 << 20);
        assert!(spool.append(&[record_at(NOON_US)]).is_err());
        assert_eq!(spool.records(), 0);
    }
}
