//! `[[egress]]`: HTTP APIs that are no models, reached through the gateway.

use shared::policies::EgressRoute;

use super::reading::Section;

pub(super) fn read(section: &mut Section<'_, '_>) -> EgressRoute {
    let route = EgressRoute {
        enabled: section.value("enabled", true),
        endpoint: section.required("endpoint"),
        cache: section.value("cache", true),
        rate_limit: section.value("rate_limit", true),
    };
    if !route.endpoint.is_empty() {
        for error in crate::egress::check(&route) {
            let path = section.path_of(&error.field);
            section.reader().problem(&path, error.message);
        }
    }
    route
}
