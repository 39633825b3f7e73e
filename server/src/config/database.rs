//! `[database]`: where requests are recorded.

use std::path::Path;

use super::reading::Section;

/// The database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// `sqlite:PATH` or `sqlite://PATH`; a relative path starts at the working directory.
    pub url: String,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: "sqlite:gateway.db".to_owned(),
        }
    }
}

impl Database {
    pub(super) fn read(section: &mut Section<'_, '_>) -> Self {
        Self {
            url: section.value("url", Self::default().url),
        }
    }
}

/// The file that a database's address names: what the check accepts, the start opens.
///
/// # Errors
/// What is wrong with the address and what would be right; does not repeat it, for it may hold a
/// password.
pub fn sqlite_file(url: &str) -> Result<&Path, &'static str> {
    let Some(rest) = url.strip_prefix("sqlite:") else {
        return Err(
            if url.starts_with("postgres://") || url.starts_with("postgresql://") {
                "PostgreSQL is not served by this version yet; expected \"sqlite:PATH\""
            } else {
                "unknown kind of database; expected \"sqlite:PATH\""
            },
        );
    };
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() {
        Err("names no file; expected \"sqlite:PATH\"")
    } else if path.contains(":memory:") {
        Err("a database in memory is not supported; expected \"sqlite:PATH\"")
    } else if path.contains('?') {
        Err("parameters are not supported; expected \"sqlite:PATH\"")
    } else if path.contains('\0') {
        Err("a path cannot contain a NUL character; expected \"sqlite:PATH\"")
    } else {
        Ok(Path::new(path))
    }
}
