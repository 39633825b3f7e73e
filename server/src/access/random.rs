//! Secrets that the gateway makes.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Of [`secret`], in characters.
pub(super) const SECRET_LENGTH: usize = 64;

/// 256 bits in hexadecimal, 244 of which are the system generator's.
pub(super) fn secret() -> String {
    let random = Sha256::new()
        .chain_update(Uuid::new_v4().as_bytes())
        .chain_update(Uuid::new_v4().as_bytes())
        .finalize();
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// For a password's hash.
pub(super) fn salt() -> [u8; 16] {
    let digest = Sha256::digest(Uuid::new_v4().as_bytes());
    digest[..16].try_into().expect("a digest is longer")
}
