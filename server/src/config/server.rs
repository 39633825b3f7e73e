//! `[server]`: where clients are served, and the limits of the data path.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::reading::Section;
use super::{ByteSize, TimeZone, Timeouts};

/// The listener clients talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address to listen on; loopback unless told otherwise.
    pub host: IpAddr,
    /// The port to listen on; 0 lets the system choose.
    pub port: u16,
    /// The largest request body taken; a larger one is answered with 413.
    pub max_body_size: ByteSize,
    /// Requests served at the same time; one more is answered with 503.
    pub max_concurrent_requests: usize,
    /// A request from which something would have to be left out for its upstream is answered with 400.
    pub strict: bool,
    /// The clock that days, weeks and months of budgets are told by.
    pub time_zone: TimeZone,
    /// Under a budget of tokens or money, the longest answer that a request gets which names no limit, tokens.
    pub assumed_output_tokens: u64,
    /// How long requests under way may go on after a signal to stop.
    pub drain_timeout: Duration,
    /// Networks whose `x-forwarded-for` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where the gateway connects to although it usually does not: link-local addresses, metadata services.
    pub allow_addresses: Vec<IpNet>,
    /// A PEM file of certificates that upstreams are trusted by, beside the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// Waits for upstreams; a provider may have its own.
    pub timeouts: Timeouts,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8080,
            max_body_size: ByteSize::mebibytes(32),
            max_concurrent_requests: 10_000,
            strict: false,
            time_zone: TimeZone::default(),
            assumed_output_tokens: 4096,
            drain_timeout: Duration::from_secs(30),
            trusted_proxies: Vec::new(),
            allow_addresses: Vec::new(),
            ca_file: None,
            timeouts: Timeouts::default(),
        }
    }
}

impl Server {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        Self {
            host: section.value("host", default.host),
            port: section.value("port", default.port),
            max_body_size: section.value("max_body_size", default.max_body_size),
            max_concurrent_requests: section
                .value("max_concurrent_requests", default.max_concurrent_requests),
            strict: section.value("strict", default.strict),
            time_zone: section.value("time_zone", default.time_zone),
            assumed_output_tokens: section
                .value("assumed_output_tokens", default.assumed_output_tokens),
            drain_timeout: section.value("drain_timeout", default.drain_timeout),
            trusted_proxies: section.values("trusted_proxies", default.trusted_proxies),
            allow_addresses: section.values("allow_addresses", default.allow_addresses),
            ca_file: section.optional::<String>("ca_file").map(PathBuf::from),
            timeouts: section.section("timeouts", Timeouts::read),
        }
    }
}
