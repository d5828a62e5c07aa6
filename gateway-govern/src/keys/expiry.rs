//! The end of a key, as people write it.

use jiff::Timestamp;

/// A text that is no point in time.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no time; write it as 2026-12-31T23:59:59Z, or as seconds since 1970")]
pub struct ExpiryError(String);

/// Reads an RFC 3339 time or a number of seconds since 1970; gives the latter.
///
/// # Errors
/// Where `text` is neither.
///
/// ```
/// use gateway_govern::keys::parse_expiry;
/// assert_eq!(parse_expiry("1970-01-02T00:00:00Z")?, 86_400);
/// assert_eq!(parse_expiry("86400")?, 86_400);
/// assert!(parse_expiry("tomorrow").is_err());
/// # Ok::<(), gateway_govern::keys::ExpiryError>(())
/// ```
pub fn parse_expiry(text: &str) -> Result<i64, ExpiryError> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let time: Timestamp = text.parse().map_err(|_| ExpiryError(text.to_owned()))?;
    Ok(time.as_second())
}
