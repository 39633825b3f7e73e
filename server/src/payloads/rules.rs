//! Which requests are logged.

use std::sync::Arc;

use shared::policies::{FieldError, PayloadSettings};
use uuid::Uuid;

use super::masks::Masks;
use crate::config::Config;
use crate::selection::{Selection, Subject};

const MILLION: u32 = 1_000_000;
/// Less would keep nothing.
const LEAST_FILE: u64 = 1 << 20;

/// Which requests are logged, and how.
#[derive(Debug, Default)]
pub struct Payloads {
    settings: Arc<PayloadSettings>,
    /// `None`: none.
    rules: Option<Arc<Rules>>,
}

/// What holds while logging is on.
#[derive(Debug)]
pub struct Rules {
    share: u32,
    overrides: Selection<u32>,
    pub(super) masks: Masks,
    /// Bytes of a request, and of a reply.
    pub(super) max_entry: usize,
}

impl Payloads {
    pub fn new(config: &Config) -> Self {
        let settings = &config.payloads;
        let rules = settings.enabled.then(|| {
            let overrides = settings.overrides.iter();
            Arc::new(Rules {
                share: settings.share_millionths,
                overrides: overrides
                    .map(|one| (one.applies_to.clone(), one.share_millionths))
                    .collect(),
                masks: Masks::new(config),
                max_entry: usize::try_from(settings.max_entry_bytes).unwrap_or(usize::MAX),
            })
        });
        Self {
            settings: Arc::new(settings.clone()),
            rules,
        }
    }

    /// What is configured.
    pub fn settings(&self) -> &Arc<PayloadSettings> {
        &self.settings
    }

    /// Whether nothing is logged at all.
    pub fn is_off(&self) -> bool {
        self.rules.is_none()
    }

    /// How the request is logged, if it is. A request is chosen by its id: twice the same.
    pub fn wants(&self, subject: Subject<'_>, id: Uuid) -> Option<Arc<Rules>> {
        let rules = self.rules.as_ref()?;
        let share = rules.overrides.matching(subject).next();
        let share = share.copied().unwrap_or(rules.share);
        // The end of such an id is random.
        let place = (id.as_u128() & u128::from(u32::MAX)) % u128::from(MILLION);
        (place < u128::from(share)).then(|| Arc::clone(rules))
    }
}

/// What is wrong with settings.
pub fn check(settings: &PayloadSettings) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut report = |field: String, message: &str| {
        errors.push(FieldError {
            field,
            message: message.to_owned(),
        });
    };
    if settings.share_millionths > MILLION {
        report("share_millionths".to_owned(), "at most 1000000");
    }
    for (i, one) in settings.overrides.iter().enumerate() {
        if one.share_millionths > MILLION {
            report(
                format!("overrides[{i}].share_millionths"),
                "at most 1000000",
            );
        }
    }
    if settings.max_entry_bytes == 0 {
        report("max_entry_bytes".to_owned(), "at least 1");
    }
    if settings.max_bytes < LEAST_FILE {
        report("max_bytes".to_owned(), "at least 1 MiB");
    }
    errors
}
