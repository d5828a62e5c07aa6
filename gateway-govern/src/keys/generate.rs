//! New keys.

use super::hash::to_hex;

/// What every generated key begins with, so that scanners for leaked secrets can know one.
const PREFIX: &str = "gw-";

/// A new key: `gw-` and 256 random bits in hex.
///
/// # Errors
/// Where the system has no randomness to give.
pub fn generate() -> Result<String, getrandom::Error> {
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret)?;
    Ok(format!("{PREFIX}{}", to_hex(&secret)))
}
