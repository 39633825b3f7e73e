//! Where the gateway may connect to: not where machines of a cloud keep their credentials, however that is spelt.
//!
//! Loopback and private networks are fine, self-hosted models live there. What is forbidden is what no upstream is but
//! attackers want: link-local addresses and the metadata services at them or elsewhere, and addresses that are none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Names of metadata services.
const NAMES: [&str; 5] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
];

/// Metadata services that are at no link-local address.
const SERVICES_V4: [Ipv4Addr; 3] = [
    // Alibaba Cloud
    Ipv4Addr::new(100, 100, 100, 200),
    // Azure
    Ipv4Addr::new(168, 63, 129, 16),
    // Oracle Cloud
    Ipv4Addr::new(192, 0, 0, 192),
];
const SERVICES_V6: [Ipv6Addr; 3] = [
    // Amazon
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    // Google
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    // Scaleway
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

/// Which addresses connections may go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destinations {
    /// Where they may go although they usually may not.
    allowed: Vec<IpNet>,
}

impl Destinations {
    pub fn allowing(allowed: &[IpNet]) -> Self {
        Self {
            allowed: allowed.to_vec(),
        }
    }

    /// Looks at an address, after every resolution of a name: what it stands for may change.
    ///
    /// # Errors
    /// What it is.
    pub fn check(&self, address: IpAddr) -> Result<(), &'static str> {
        let is_allowed = |address: IpAddr| self.allowed.iter().any(|net| net.contains(&address));
        for address in [Some(address), inside(address).map(IpAddr::V4)]
            .into_iter()
            .flatten()
        {
            if let Some(what) = forbidden(address)
                && !is_allowed(address)
            {
                return Err(what);
            }
        }
        Ok(())
    }

    /// Looks at a host of a URL, as far as that can be done without resolving it.
    ///
    /// # Errors
    /// What it is.
    pub fn check_host(&self, host: &str) -> Result<(), &'static str> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if NAMES.contains(&host.as_str()) && self.allowed.is_empty() {
            return Err("a metadata service");
        }
        literal(&host).map_or(Ok(()), |address| self.check(address))
    }

    /// Looks at a URL's host; what is no URL is somebody else's business.
    ///
    /// # Errors
    /// What is wrong, and what can be done.
    pub fn check_url(&self, url: &str) -> Result<(), String> {
        let Ok(uri) = url.parse::<http::Uri>() else {
            return Ok(());
        };
        self.check_host(uri.host().unwrap_or_default()).map_err(|what| {
            format!(
                "leads to {what}, where the gateway does not connect to; `server.allow_addresses` can allow it"
            )
        })
    }
}

fn forbidden(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            if SERVICES_V4.contains(&address) {
                Some("a metadata service")
            } else if address.is_link_local() {
                Some("a link-local address")
            } else if address.octets()[0] == 0 {
                Some("an unspecified address")
            } else if address.is_multicast() || address.is_broadcast() {
                Some("an address of many")
            } else {
                None
            }
        }
        IpAddr::V6(address) => {
            if SERVICES_V6.contains(&address) {
                Some("a metadata service")
            } else if address.is_unicast_link_local() {
                Some("a link-local address")
            } else if address.is_unspecified() {
                Some("an unspecified address")
            } else if address.is_multicast() {
                Some("an address of many")
            } else {
                None
            }
        }
    }
}

/// The IPv4 address inside an IPv6 address that means it.
fn inside(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else {
        return None;
    };
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match [a, b, c, d, e, f] {
        // ::ffff:0:0/96, and ::/96 of old but for :: and ::1
        [0, 0, 0, 0, 0, 0xffff] => Some(v4(g, h)),
        [0, 0, 0, 0, 0, 0] if (g, h) != (0, 0) && (g, h) != (0, 1) => Some(v4(g, h)),
        // SIIT <https://www.rfc-editor.org/rfc/rfc2765>
        [0, 0, 0, 0, 0xffff, 0] => Some(v4(g, h)),
        // NAT64 <https://www.rfc-editor.org/rfc/rfc6052> <https://www.rfc-editor.org/rfc/rfc8215>
        [0x64, 0xff9b, 0, 0, 0, 0] => Some(v4(g, h)),
        [0x64, 0xff9b, 1, ..] => Some(v4(g, h)),
        // 6to4 <https://www.rfc-editor.org/rfc/rfc3056>
        [0x2002, high, low, ..] => Some(v4(high, low)),
        // Teredo <https://www.rfc-editor.org/rfc/rfc4380>
        [0x2001, 0, ..] => Some(v4(!g, !h)),
        _ => None,
    }
}

/// The address that a host is, in any of the spellings that resolvers take: `169.254.169.254`, `0xa9fea9fe`,
/// `2852039166`, `0251.0376.43518`, `fe80::1%25eth0`.
fn literal(host: &str) -> Option<IpAddr> {
    let unzoned = host.split('%').next().unwrap_or_default();
    if let Ok(address) = unzoned.parse::<IpAddr>() {
        return Some(address);
    }
    let parts: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, before) = parts.split_last()?;
    // The last part is all that is left of the address.
    let left = 4_usize.checked_sub(before.len())?;
    if left == 0 || before.iter().any(|part| *part > 255) || *last >> (8 * left) != 0 {
        return None;
    }
    let high = before.iter().fold(0, |sum, part| (sum << 8) | part);
    let all = (high << (8 * left)) | last;
    u32::try_from(all)
        .ok()
        .map(|all| Ipv4Addr::from(all).into())
}

fn number(part: &str) -> Option<u64> {
    let (digits, radix) = match part.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if part.len() > 1 && part.starts_with('0') => (&part[1..], 8),
        None => (part, 10),
    };
    if digits.is_empty() || digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_clouds_are_out_of_reach_however_they_are_spelt() {
        for host in [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.0.1",
            "2852039166",
            "0xa9fea9fe",
            "0XA9FEA9FE",
            "0xa9.0xfe.0xa9.0xfe",
            "0251.0376.0251.0376",
            "0251.254.43518",
            "169.16689662",
            "169.254.169.254.",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]",
            "[0:0:0:0:0:ffff:a9fe:a9fe]",
            "[::169.254.169.254]",
            "[::ffff:0:169.254.169.254]",
            "[64:ff9b::169.254.169.254]",
            "[64:ff9b:1::a9fe:a9fe]",
            "[2002:a9fe:a9fe::1]",
            "[2001:0:1:2:3:4:5601:5601]",
            "[fe80::1]",
            "[fe80::a9fe:a9fe%25eth0]",
            "[fd00:ec2::254]",
            "[fd00:0ec2:0:0:0:0:0:254]",
            "[fd20:ce::254]",
            "100.100.100.200",
            "[::ffff:100.100.100.200]",
            "168.63.129.16",
            "192.0.0.192",
            "0.0.0.0",
            "0",
            "0x0",
            "0.0.0.1",
            "[::]",
            "[::ffff:0.0.0.0]",
            "224.0.0.1",
            "255.255.255.255",
            "[ff02::1]",
            "metadata.google.internal",
            "METADATA.google.internal.",
            "metadata",
            "metadata.goog",
            "instance-data.ec2.internal",
        ] {
            assert!(Destinations::default().check_host(host).is_err(), "{host}");
        }
    }

    #[test]
    fn self_hosted_models_and_others_are_reached() {
        for host in [
            "127.0.0.1",
            "127.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "[fd00::1]",
            "8.8.8.8",
            "[2606:4700::1111]",
            "[64:ff9b::808:808]",
            "api.example.com",
            "metadata.example.com",
            "1.2.3.4.example.com",
            "0x.example",
            "",
        ] {
            assert_eq!(Destinations::default().check_host(host), Ok(()), "{host}");
        }
    }

    #[test]
    fn an_operator_allows_exceptions() {
        let destinations = Destinations::allowing(&["169.254.1.0/24".parse().unwrap()]);
        for (host, allowed) in [
            ("169.254.1.7", true),
            ("[::ffff:169.254.1.7]", true),
            ("169.254.169.254", false),
            ("[fe80::1]", false),
        ] {
            assert_eq!(destinations.check_host(host).is_ok(), allowed, "{host}");
        }
    }
}
