//! Whether settings of the cache make sense.

use shared::policies::{CacheSettings, FieldError};

/// Answers that are older than a year are of no use to anybody.
const LONGEST_TTL: u64 = 366 * 86_400;
/// Below that nothing could be kept that is worth it.
const SMALLEST: u64 = 64 << 10;
/// What fits the machine's memory is another question.
const LARGEST: u64 = 64 << 30;

/// What is wrong with settings, by their fields.
pub fn check(settings: &CacheSettings) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut wrong = |field: String, message: String| errors.push(FieldError { field, message });
    let ttl = |seconds: u64| match seconds {
        0 => Some("must be at least one second; `enabled = false` keeps nothing"),
        LONGEST_TTL.. => Some("must be less than 366 days"),
        _ => None,
    };
    if let Some(message) = ttl(settings.ttl_seconds) {
        wrong("ttl_seconds".to_owned(), message.to_owned());
    }
    if !(SMALLEST..=LARGEST).contains(&settings.max_bytes) {
        wrong(
            "max_bytes".to_owned(),
            "must be from 64 KiB to 64 GiB".to_owned(),
        );
    }
    if settings.max_entry_bytes == 0 || settings.max_entry_bytes > settings.max_bytes {
        wrong(
            "max_entry_bytes".to_owned(),
            "must be at least one byte, and not more than the whole cache may hold".to_owned(),
        );
    }
    for (at, different) in settings.overrides.iter().enumerate() {
        let field = |name: &str| format!("overrides[{at}].{name}");
        if let Some(message) = different.ttl_seconds.and_then(ttl) {
            wrong(field("ttl_seconds"), message.to_owned());
        }
        if different.enabled.is_none()
            && different.ttl_seconds.is_none()
            && different.scope.is_none()
            && different.coalesce.is_none()
        {
            wrong(
                format!("overrides[{at}]"),
                "says nothing that is different: give enabled, ttl, scope or coalesce".to_owned(),
            );
        }
    }
    errors
}
