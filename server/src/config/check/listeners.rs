//! Addresses and ports.

use std::net::IpAddr;

use crate::config::Config;
use crate::config::problem::Source;
use crate::config::reading::Reader;

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    let server = ("server", config.server.host, config.server.port);
    let admin = ("admin", config.admin.host, config.admin.port);
    let grpc = ("grpc", config.grpc.host, config.grpc.port);
    clash(server, admin, reader);
    // Nobody listens there yet: only where it was written is a clash worth a word.
    if reader.effective.source_of("grpc.port") != Source::Default {
        clash(server, grpc, reader);
        clash(admin, grpc, reader);
    }
    if !config.keys.is_empty() && config.keys.iter().all(|key| !key.settings.enabled) {
        reader.warning(
            "keys",
            "none of the [[keys]] is enabled: every request is refused with 401; enable one, or remove \
             them all to serve whoever comes",
        );
    }
    if config.keys.is_empty() && !config.server.host.is_loopback() {
        reader.warning(
            "server.host",
            format!(
                "there are no [[keys]]: unless the dashboard has made some, whoever reaches {} can use the providers",
                config.server.host
            ),
        );
    }
}

fn clash(
    (first, first_host, first_port): (&str, IpAddr, u16),
    (second, second_host, second_port): (&str, IpAddr, u16),
    reader: &mut Reader<'_>,
) {
    let any = first_host.is_unspecified() || second_host.is_unspecified();
    let same_host = first_host == second_host || any;
    if first_port == second_port && first_port != 0 && same_host {
        let blamed = format!("{second}.port");
        let path = match reader.effective.source_of(&blamed) {
            Source::Default => format!("{first}.port"),
            _ => blamed,
        };
        let other = if path.starts_with(first) {
            second
        } else {
            first
        };
        let message =
            format!("{first_port} is also {other}.port; choose another port for one of them");
        reader.problem(&path, message);
    }
}
