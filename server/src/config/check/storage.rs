//! The database's address.

use crate::config::Config;
use crate::config::database::sqlite_file;
use crate::config::reading::Reader;

pub(super) fn check(config: &Config, reader: &mut Reader<'_>) {
    if let Err(wrong) = sqlite_file(&config.database.url) {
        reader.problem("database.url", wrong);
    }
}
