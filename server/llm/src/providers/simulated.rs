//! The built-in provider, which needs no key and no network: see [`crate::simulated`].

use super::{Auth, Provider};

pub(super) static PROVIDER: Provider = Provider {
    id: "simulated",
    title: "Simulated",
    auth: Auth::None,
    key_needed: false,
    simulated: true,
    ..Provider::COMPATIBLE
};
