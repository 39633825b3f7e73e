//! What is about to be spent and what was, on disk before it happens: a file beside the database that is only ever
//! appended to, one system call a record. What it holds survives a killed process.
//!
//! A record is its length and the CRC-32 of its content (4 bytes each, little endian), then the content: a tag and
//! numbers. A file is a generation: it begins with its number, and with what the database may not have yet. The
//! database knows up to where in which generation it has everything.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use super::Amount;
use super::account::{AccountKey, Balance, Owner, PERIODS};

/// No record is longer.
const LONGEST: usize = 1 << 20;
const HEAD: usize = 8;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    Begin {
        generation: u64,
    },
    /// From here on the account is called by this number.
    Account {
        number: u32,
        key: AccountKey,
    },
    /// What the account held when the generation began.
    Balance {
        number: u32,
        balance: Balance,
    },
    /// A request may use so much of these accounts.
    Open {
        claim: u64,
        amount: Amount,
        accounts: Vec<u32>,
    },
    /// It may use so much in all.
    Cover {
        claim: u64,
        amount: Amount,
    },
    /// It used so much, and ends.
    Settle {
        claim: u64,
        spent: Amount,
        uncertain: Amount,
    },
}

/// The file, locked for as long as it is open.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    pub generation: u64,
    pub length: u64,
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
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            "another gateway uses it",
        ));
    }
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
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        // Some file systems have no locks: then nobody shares the folder.
        let _ = file.try_lock();
        let mut content = Vec::with_capacity(records.len() + 32);
        push(&mut content, &Record::Begin { generation });
        content.extend_from_slice(records);
        file.write_all(&content)?;
        std::fs::rename(&new, path)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            generation,
            length: content.len() as u64,
        })
    }

    /// # Errors
    /// The file system's; then nothing of it was written.
    pub fn append(&mut self, records: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(records) {
            // Half a record would hide those after it.
            use std::io::Seek;
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(io::SeekFrom::Start(self.length));
            return Err(error);
        }
        self.length += records.len() as u64;
        Ok(())
    }

    /// Whether it still is what is at its path.
    pub fn is_in_place(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
            let there = std::fs::metadata(&self.path).map(identity);
            let ours = self.file.metadata().map(identity);
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

/// Appends a record to what will be written.
pub fn push(out: &mut Vec<u8>, record: &Record) {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    match record {
        Record::Begin { generation } => {
            out.push(0);
            out.extend_from_slice(&generation.to_le_bytes());
        }
        Record::Account { number, key } => {
            out.push(1);
            out.extend_from_slice(&number.to_le_bytes());
            out.push(place(&Owner::ALL, &key.owner));
            out.push(place(&PERIODS.map(|(period, _)| period), &key.period));
            let day = key.first_day.map_or(i32::MIN, |day| day.num_days_from_ce());
            out.extend_from_slice(&day.to_le_bytes());
            push_text(out, Some(&key.name));
            push_text(out, key.subject.as_deref());
        }
        Record::Balance { number, balance } => {
            out.push(2);
            out.extend_from_slice(&number.to_le_bytes());
            push_amount(out, balance.spent);
            push_amount(out, balance.uncertain);
            out.extend_from_slice(&balance.told);
        }
        Record::Open {
            claim,
            amount,
            accounts,
        } => {
            out.push(3);
            out.extend_from_slice(&claim.to_le_bytes());
            push_amount(out, *amount);
            for number in accounts {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        Record::Cover { claim, amount } => {
            out.push(4);
            out.extend_from_slice(&claim.to_le_bytes());
            push_amount(out, *amount);
        }
        Record::Settle {
            claim,
            spent,
            uncertain,
        } => {
            out.push(5);
            out.extend_from_slice(&claim.to_le_bytes());
            push_amount(out, *spent);
            push_amount(out, *uncertain);
        }
    }
    let content = &out[start + HEAD..];
    let length = u32::try_from(content.len()).expect("records are short");
    let crc = crc32fast::hash(content);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + HEAD].copy_from_slice(&crc.to_le_bytes());
}

fn place<T: PartialEq>(all: &[T], one: &T) -> u8 {
    let at = all.iter().position(|other| other == one);
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

fn push_amount(out: &mut Vec<u8>, amount: Amount) {
    for number in [amount.requests, amount.tokens, amount.nanos] {
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// Lengths count from 1; 0 is none.
fn push_text(out: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else {
        out.extend_from_slice(&0_u32.to_le_bytes());
        return;
    };
    let text = &text[..text.floor_char_boundary(LONGEST / 4)];
    let length = u32::try_from(text.len() + 1).expect("it was cut");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// The records of a file, each with where it begins, up to the first one that is not whole.
#[derive(Debug)]
pub struct Records<'a> {
    content: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    pub fn of(content: &'a [u8]) -> Self {
        Self { content, at: 0 }
    }
}

impl Iterator for Records<'_> {
    type Item = (u64, Record);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.content.get(self.at..)?;
        let mut head = Fields(rest);
        let length = head.u32()? as usize;
        let crc = head.u32()?;
        if length > LONGEST {
            return None;
        }
        let content = head.0.get(..length)?;
        if crc32fast::hash(content) != crc {
            return None;
        }
        let record = parse(content)?;
        let at = self.at as u64;
        self.at += HEAD + length;
        Some((at, record))
    }
}

fn parse(content: &[u8]) -> Option<Record> {
    let mut fields = Fields(content);
    Some(match fields.u8()? {
        0 => Record::Begin {
            generation: fields.u64()?,
        },
        1 => Record::Account {
            number: fields.u32()?,
            key: AccountKey {
                owner: *Owner::ALL.get(usize::from(fields.u8()?))?,
                period: PERIODS.get(usize::from(fields.u8()?))?.0,
                first_day: match fields.i32()? {
                    i32::MIN => None,
                    day => Some(NaiveDate::from_num_days_from_ce_opt(day)?),
                },
                name: fields.text()??,
                subject: fields.text()?,
            },
        },
        2 => Record::Balance {
            number: fields.u32()?,
            balance: Balance {
                spent: fields.amount()?,
                uncertain: fields.amount()?,
                told: [fields.u8()?, fields.u8()?, fields.u8()?],
            },
        },
        3 => {
            let (claim, amount) = (fields.u64()?, fields.amount()?);
            let mut accounts = Vec::with_capacity(fields.0.len() / 4);
            while !fields.0.is_empty() {
                accounts.push(fields.u32()?);
            }
            Record::Open {
                claim,
                amount,
                accounts,
            }
        }
        4 => Record::Cover {
            claim: fields.u64()?,
            amount: fields.amount()?,
        },
        5 => Record::Settle {
            claim: fields.u64()?,
            spent: fields.amount()?,
            uncertain: fields.amount()?,
        },
        _ => return None,
    })
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn amount(&mut self) -> Option<Amount> {
        Some(Amount {
            requests: self.u64()?,
            tokens: self.u64()?,
            nanos: self.u64()?,
        })
    }

    /// `Some(None)`: there is none.
    fn text(&mut self) -> Option<Option<Arc<str>>> {
        let Some(length) = (self.u32()? as usize).checked_sub(1) else {
            return Some(None);
        };
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(std::str::from_utf8(text).ok()?.into()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::policies::Period;

    use super::*;

    fn amounts() -> impl Strategy<Value = Amount> {
        any::<[u64; 3]>().prop_map(|[requests, tokens, nanos]| Amount {
            requests,
            tokens,
            nanos,
        })
    }

    fn records() -> impl Strategy<Value = Record> {
        prop_oneof![
            any::<u64>().prop_map(|generation| Record::Begin { generation }),
            (
                any::<u32>(),
                "\\PC{0,8}",
                proptest::option::of("\\PC{0,8}"),
                0..3_usize,
                0..4_usize,
                0..3_000_000
            )
                .prop_map(|(number, name, subject, owner, period, day)| {
                    let (period, _) = PERIODS[period];
                    let first_day = NaiveDate::from_num_days_from_ce_opt(day);
                    Record::Account {
                        number,
                        key: AccountKey {
                            owner: Owner::ALL[owner],
                            name: name.into(),
                            subject: subject.map(Into::into),
                            period,
                            first_day: first_day.filter(|_| period != Period::Total),
                        },
                    }
                }),
            (any::<u32>(), amounts(), amounts(), any::<[u8; 3]>()).prop_map(
                |(number, spent, uncertain, told)| Record::Balance {
                    number,
                    balance: Balance {
                        spent,
                        uncertain,
                        told
                    }
                }
            ),
            (
                any::<u64>(),
                amounts(),
                prop::collection::vec(any::<u32>(), 0..5)
            )
                .prop_map(|(claim, amount, accounts)| Record::Open {
                    claim,
                    amount,
                    accounts
                }),
            (any::<u64>(), amounts()).prop_map(|(claim, amount)| Record::Cover { claim, amount }),
            (any::<u64>(), amounts(), amounts()).prop_map(|(claim, spent, uncertain)| {
                Record::Settle {
                    claim,
                    spent,
                    uncertain,
                }
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_is_torn_off_what_came_before_is_read(
            records in prop::collection::vec(records(), 1..8), cut in any::<prop::sample::Index>()
        ) {
            let mut content = Vec::new();
            let mut ends = Vec::new();
            for record in &records {
                push(&mut content, record);
                ends.push(content.len());
            }
            let cut = cut.index(content.len() + 1);
            let read: Vec<_> = Records::of(&content[..cut]).map(|(_, record)| record).collect();
            let whole = ends.iter().filter(|end| **end <= cut).count();
            prop_assert_eq!(&read[..], &records[..whole]);
        }

        #[test]
        fn nothing_makes_reading_panic(content in prop::collection::vec(any::<u8>(), 0..200), tag in 0..7_u8) {
            for _ in Records::of(&content) {}
            let mut tagged = vec![tag];
            tagged.extend_from_slice(&content);
            let _ = parse(&tagged);
        }
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
