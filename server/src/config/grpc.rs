//! `[grpc]`: the gRPC listener. Read and checked; this version does not serve it yet.

use std::net::{IpAddr, Ipv4Addr};

use super::reading::Section;

/// The listener gRPC clients will talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grpc {
    /// The address to listen on; loopback unless told otherwise.
    pub host: IpAddr,
    /// The port to listen on.
    pub port: u16,
}

impl Default for Grpc {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8082,
        }
    }
}

impl Grpc {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        let default = Self::default();
        if section.is_given() {
            section
                .reader()
                .warning("grpc", "this version does not serve gRPC yet");
        }
        Self {
            host: section.value("host", default.host),
            port: section.value("port", default.port),
        }
    }
}
