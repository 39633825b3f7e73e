//! Who can be asked: one file a provider, data and nothing else.

mod auth;
mod openai;
mod openai_compatible;
mod simulated;

pub use auth::Auth;

use crate::codec::ChatCodec;

/// A kind of upstream.
#[derive(Debug)]
pub struct Provider {
    /// What `kind` in the configuration says.
    pub id: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// Where it is, unless the operator has to say.
    pub base_url: Option<&'static str>,
    pub auth: Auth,
    /// The environment variable that its own SDK takes the key from.
    pub key_variable: Option<&'static str>,
    pub codec: &'static dyn ChatCodec,
    /// Answers come from the gateway itself, no network is used: see [`crate::simulated`].
    pub simulated: bool,
    pub docs_url: &'static str,
}

/// All of them, by id.
static ALL: &[&Provider] = &[
    &openai::PROVIDER,
    &openai_compatible::PROVIDER,
    &simulated::PROVIDER,
];

/// Every provider, sorted by id.
pub fn all() -> &'static [&'static Provider] {
    ALL
}

/// The provider of this id.
pub fn find(id: &str) -> Option<&'static Provider> {
    ALL.iter().copied().find(|provider| provider.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_and_unique() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
    }

    #[test]
    fn a_provider_is_found_by_its_id() {
        for provider in all() {
            assert_eq!(
                find(provider.id).map(|found| found.title),
                Some(provider.title)
            );
        }
        assert!(find("nobody").is_none());
    }
}
