//! API keys: stored as hashes, several at a time, each with the models it may use and an end.
//!
//! ```
//! use gateway_govern::keys::{KeyEntry, KeyHash, KeyRing};
//! use http::{HeaderMap, HeaderValue};
//!
//! let ring = KeyRing::new([KeyEntry::new("ci", KeyHash::of("gw-secret"))])?;
//! let mut headers = HeaderMap::new();
//! headers.insert("authorization", HeaderValue::from_static("Bearer gw-secret"));
//!
//! let key = ring.authenticate(&headers, 0)?;
//! assert_eq!(&**key.name(), "ci");
//! key.check_model("any")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod denied;
mod expiry;
mod generate;
mod hash;
mod key;
mod ring;
mod strip;
#[cfg(test)]
mod tests;

pub use denied::Denied;
pub use expiry::{ExpiryError, parse_expiry};
pub use generate::generate;
pub use hash::{HashError, KeyHash};
pub use key::{Key, KeyEntry};
pub use ring::{KeyRing, RingError};
pub use strip::strip;
