//! Limits of single clients. Who has one of its own is not meant by those for all: an address has its own, else the one
//! for `*.*.*.*`, else the default.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use shared::policies::{RateLimit, Selector};

/// The name of the limit for all.
pub const DEFAULT: &str = "default";
/// What the names of the limits of single clients begin with.
pub const CLIENT: &str = "client ";
pub const EVERYBODY: &str = "*.*.*.*";

/// An address, or [`EVERYBODY`], as it is always written.
pub fn address(text: &str) -> Option<String> {
    let text = text.trim();
    if text == EVERYBODY {
        return Some(text.to_owned());
    }
    let address: IpAddr = text.parse().ok()?;
    Some(address.to_canonical().to_string())
}

/// Whose own limit has this name.
pub fn client(name: &str) -> Option<&str> {
    let text = name.strip_prefix(CLIENT)?;
    address(text)
        .is_some_and(|address| address == text)
        .then_some(text)
}

/// The limits as they hold: those for all leave out who has one of its own.
pub(super) fn resolved(
    limits: &BTreeMap<String, RateLimit>,
) -> Cow<'_, BTreeMap<String, RateLimit>> {
    let own = limits.iter().filter_map(|(name, limit)| {
        let client = client(name)?;
        // One that means only some of its requests leaves the others to those for all.
        let of_all = Selector {
            addresses: vec![client.to_owned()],
            except_addresses: limit.applies_to.except_addresses.clone(),
            ..Selector::default()
        };
        let holds = limit.enabled && limit.rate.requests.is_some();
        (holds && limit.applies_to == of_all).then_some(client)
    });
    let own: Vec<&str> = own.collect();
    if own.is_empty() {
        return Cow::Borrowed(limits);
    }
    let everybody = format!("{CLIENT}{EVERYBODY}");
    let mut resolved = limits.clone();
    for name in [DEFAULT, &everybody] {
        if let Some(limit) = resolved.get_mut(name) {
            let others = own
                .iter()
                .filter(|client| name == DEFAULT || **client != EVERYBODY);
            let excepted = &mut limit.applies_to.except_addresses;
            excepted.extend(others.map(|client| (*client).to_owned()));
        }
    }
    Cow::Owned(resolved)
}

#[cfg(test)]
mod tests {
    use shared::policies::Rate;

    use super::*;

    fn limit(addresses: &[&str]) -> RateLimit {
        RateLimit {
            enabled: true,
            applies_to: Selector {
                addresses: addresses
                    .iter()
                    .map(|&address| address.to_owned())
                    .collect(),
                ..Selector::default()
            },
            rate: Rate {
                requests: Some(1),
                window_seconds: 60,
                ..Rate::default()
            },
            ..RateLimit::default()
        }
    }

    #[test]
    fn who_has_one_of_its_own_is_left_out() {
        let mut default = limit(&[]);
        default.applies_to.except_addresses = vec!["10.0.0.0/8".to_owned()];
        let mut limits = BTreeMap::from([
            ("default".to_owned(), default),
            ("client *.*.*.*".to_owned(), limit(&["*.*.*.*"])),
            ("client 192.0.2.7".to_owned(), limit(&["192.0.2.7"])),
            ("client acme".to_owned(), limit(&[])),
            ("client 192.0.2.8".to_owned(), limit(&["192.0.2.9"])),
        ]);
        let excepted = |limits: &BTreeMap<String, RateLimit>, name: &str| {
            resolved(limits)[name].applies_to.except_addresses.clone()
        };
        assert_eq!(
            excepted(&limits, "default"),
            ["10.0.0.0/8", "*.*.*.*", "192.0.2.7"]
        );
        assert_eq!(excepted(&limits, "client *.*.*.*"), ["192.0.2.7"]);
        assert_eq!(excepted(&limits, "client 192.0.2.7"), [""; 0]);
        limits.remove("client *.*.*.*");
        if let Some(limit) = limits.get_mut("client 192.0.2.7") {
            limit.enabled = false;
        }
        assert_eq!(excepted(&limits, "default"), ["10.0.0.0/8"]);
    }
}
