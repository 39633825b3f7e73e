//! How the journal is written: records, one behind the other.
//!
//! A record is its length and the CRC-32 of its content (4 bytes each, little endian), then the content: a tag and
//! numbers. A length of 0 is none, and ends them.

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

/// Where the last record that is whole ends.
pub fn end_of(content: &[u8]) -> u64 {
    let mut records = Records::of(content);
    records.by_ref().for_each(drop);
    records.at as u64
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
            // What is not written yet is zeros, as the last bytes of a record may be.
            content.truncate(cut);
            content.resize(cut + 100, 0);
            let read: Vec<_> = Records::of(&content).map(|(_, record)| record).collect();
            prop_assert!(records.starts_with(&read) && read.len() >= whole);
            let end = read.len().checked_sub(1).map_or(0, |last| ends[last]);
            prop_assert_eq!(end_of(&content), end as u64);
        }

        #[test]
        fn nothing_makes_reading_panic(content in prop::collection::vec(any::<u8>(), 0..200), tag in 0..7_u8) {
            for _ in Records::of(&content) {}
            let mut tagged = vec![tag];
            tagged.extend_from_slice(&content);
            let _ = parse(&tagged);
        }
    }
}
