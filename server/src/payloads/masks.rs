//! What is never stored: credentials, and what else an operator does not want to be kept.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use guardrails::{Kinds, PiiCursor};
use shared::policies::PiiKind;

use crate::config::Config;

/// What stands in the place of a credential of this gateway's.
const CREDENTIAL: &str = "[REDACTED]";
/// A shorter one would be found everywhere.
const SHORTEST: usize = 6;

#[derive(Debug)]
pub(super) struct Masks {
    /// The configuration's own, as they are.
    credentials: Option<AhoCorasick>,
    /// Others are known by their shape.
    kinds: Kinds,
}

impl Masks {
    pub(super) fn new(config: &Config) -> Self {
        let providers = config.providers.iter();
        let mut known: Vec<&str> = providers
            .flat_map(|provider| {
                let headers = provider.headers.values();
                provider.all_keys().into_iter().chain(headers)
            })
            .map(|secret| secret.expose())
            .collect();
        let keys = config.keys.iter().filter_map(|key| key.key.as_ref());
        known.extend(keys.map(|secret| secret.expose()));
        known.extend(config.logging.secrets().map(|(_, secret)| secret.expose()));
        known.extend(config.admin.token.as_ref().map(|secret| secret.expose()));
        known.retain(|secret| secret.len() >= SHORTEST);
        let kinds = [&[PiiKind::Secret], config.payloads.redact.as_slice()].concat();
        Self {
            credentials: (!known.is_empty())
                .then(|| {
                    AhoCorasick::builder()
                        .match_kind(MatchKind::LeftmostLongest)
                        .build(known)
                        .ok()
                })
                .flatten(),
            kinds: Kinds::new(&kinds),
        }
    }

    /// The text without what must not be stored.
    pub(super) fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = match &self.credentials {
            Some(known) if known.is_match(text) => {
                let mut masked = String::with_capacity(text.len());
                known.replace_all_with(text, &mut masked, |_, _, out| {
                    out.push_str(CREDENTIAL);
                    true
                });
                Cow::Owned(masked)
            }
            _ => Cow::Borrowed(text),
        };
        let mut masked = String::new();
        let mut done = 0;
        let mut next = PiiCursor::new(self.kinds);
        while let Some(found) = next.find(&text, done) {
            if found.end <= done {
                break;
            }
            masked.push_str(&text[done..found.start]);
            masked.push_str(&format!("[{}]", found.what));
            done = found.end;
        }
        if done == 0 {
            return text;
        }
        masked.push_str(&text[done..]);
        Cow::Owned(masked)
    }
}
