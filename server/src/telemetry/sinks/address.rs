//! Where a service is.

use http::Uri;

use crate::transport::Origin;

/// A URL without what only a browser would want of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub origin: Origin,
    /// Without a slash at its end.
    pub path: String,
}

impl Address {
    /// `None`: it is no `http://` or `https://` URL.
    pub fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        Some(Self {
            origin: Origin::of(&uri).ok()?,
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// With this at its end, unless the operator wrote that already.
    pub fn ending_in(self, end: &str) -> Self {
        let base = self.path.strip_suffix(end).unwrap_or(&self.path);
        let path = format!("{base}{end}");
        Self { path, ..self }
    }
}
