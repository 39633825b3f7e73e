//! The counts of one rate: one for all, or one a subject.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use shared::policies::{Algorithm, Per};

use super::count::Count;
use super::table::Table;
use super::window::{Nanos, Size};
use crate::selection::Subject;

/// Longer names of models are cut: so more may be counted together, never less.
const MAX_NAME: usize = 200;

/// Who those are, in states, that have no key, project, model or address.
const NOBODY: &str = "(none)";
/// Who those are, in states, for whom there was no room.
const OTHERS: &str = "(others)";

#[derive(Debug)]
pub(super) enum Counts {
    One(Arc<Count>),
    ByAddress(Table<IpAddr>),
    ByName(Per, Table<str>),
}

impl Counts {
    pub fn new(per: Per, algorithm: Algorithm) -> Self {
        match per {
            Per::All => Self::One(Arc::new(Count::new(algorithm))),
            Per::Address => Self::ByAddress(Table::new(algorithm)),
            Per::Key | Per::Project | Per::Model => Self::ByName(per, Table::new(algorithm)),
        }
    }

    /// Where a request is counted.
    pub fn of(&self, subject: &Subject<'_>, size: &Size, now: Nanos) -> Arc<Count> {
        match self {
            Self::One(count) => Arc::clone(count),
            Self::ByAddress(table) => match subject.address {
                Some(address) => table.of(&client(address), size, now),
                None => table.nobody(),
            },
            Self::ByName(per, table) => match name(*per, subject) {
                Some(name) => table.of(name, size, now),
                None => table.nobody(),
            },
        }
    }

    /// The same, where something has been counted there yet.
    pub fn find(&self, subject: &Subject<'_>) -> Option<Arc<Count>> {
        match self {
            Self::One(count) => Some(Arc::clone(count)),
            Self::ByAddress(table) => match subject.address {
                Some(address) => table.find(&client(address)),
                None => Some(table.nobody()),
            },
            Self::ByName(per, table) => match name(*per, subject) {
                Some(name) => table.find(name),
                None => Some(table.nobody()),
            },
        }
    }

    /// Every count, and who it is about; `None`: all.
    pub fn each(&self, mut visit: impl FnMut(Option<Cow<'_, str>>, &Count)) {
        match self {
            Self::One(count) => visit(None, count),
            Self::ByAddress(table) => {
                table.each(|address, count| visit(Some(written(*address).into()), count));
                visit(Some(NOBODY.into()), &table.nobody());
                visit(Some(OTHERS.into()), &table.others());
            }
            Self::ByName(_, table) => {
                table.each(|name, count| visit(Some(name.into()), count));
                visit(Some(NOBODY.into()), &table.nobody());
                visit(Some(OTHERS.into()), &table.others());
            }
        }
    }
}

fn name<'a>(per: Per, subject: &Subject<'a>) -> Option<&'a str> {
    match per {
        Per::Key => subject.key,
        Per::Project => subject.project,
        Per::Model => subject
            .counted_as()
            .map(|model| &model[..model.floor_char_boundary(MAX_NAME)]),
        Per::All | Per::Address => None,
    }
}

/// The address that stands for a client's. With IPv6 everybody has a /64 of them, which is one client.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

fn written(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{address}/64"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_one_address_or_64_bits_of_them() {
        let client = |address: &str| written(client(address.parse().unwrap()));
        assert_eq!(client("192.0.2.7"), "192.0.2.7");
        assert_eq!(client("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(client("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }

    #[test]
    fn a_name_is_cut_between_characters() {
        let model = "ü".repeat(300);
        let subject = Subject {
            model: Some(&model),
            ..Subject::default()
        };
        assert_eq!(name(Per::Model, &subject), Some(&*"ü".repeat(100)));
    }
}
