//! All keys, and the one check at the door.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use http::{HeaderMap, header::AUTHORIZATION};
use subtle::ConstantTimeEq as _;

use super::{Denied, Key, KeyEntry, KeyHash};

/// A longer key than this is none of ours and is not worth hashing, in bytes.
const KEY_BYTES_AT_MOST: usize = 512;

/// Why a list of keys is no ring.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// Two keys have the same name.
    #[error("key `{0}` is listed twice; give each key a name of its own")]
    DuplicateName(String),
    /// Two entries hold the same key, so that one of them would never apply.
    #[error("keys `{0}` and `{1}` have the same hash")]
    DuplicateHash(String, String),
}

/// The keys that open the gateway. An empty ring lets nobody in.
#[derive(Debug, Default)]
pub struct KeyRing {
    slots: BTreeMap<u64, Vec<(KeyHash, Arc<Key>)>>,
}

impl KeyRing {
    /// A ring of these keys.
    ///
    /// # Errors
    /// Where two share a name or a hash.
    pub fn new(entries: impl IntoIterator<Item = KeyEntry>) -> Result<Self, RingError> {
        let mut ring = Self::default();
        let mut names = HashSet::new();
        for entry in entries {
            if !names.insert(entry.name.clone()) {
                return Err(RingError::DuplicateName(entry.name));
            }
            let slot = ring.slots.entry(entry.hash.slot()).or_default();
            if let Some((_, twin)) = slot.iter().find(|(hash, _)| *hash == entry.hash) {
                return Err(RingError::DuplicateHash(
                    twin.name().to_string(),
                    entry.name,
                ));
            }
            slot.push((entry.hash, Arc::new(Key::new(entry))));
        }
        Ok(ring)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.values().map(Vec::len).sum()
    }

    /// Whether there is no key, so that nobody gets in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The key that `headers` carry as `Authorization: Bearer`, `x-api-key` or `api-key`; the first of these that is
    /// there counts alone. Costs one SHA-256 and no allocation.
    ///
    /// # Errors
    /// Where there is none, it is not on the ring, or `now_unix` (seconds since 1970) is past its end.
    pub fn authenticate(&self, headers: &HeaderMap, now_unix: i64) -> Result<&Arc<Key>, Denied> {
        let sent = credential(headers).ok_or(Denied::Missing)?;
        if sent.len() > KEY_BYTES_AT_MOST {
            return Err(Denied::Unknown);
        }
        let hash = KeyHash::of(sent);
        let slot = self.slots.get(&hash.slot()).ok_or(Denied::Unknown)?;
        let known = slot
            .iter()
            .find(|(stored, _)| bool::from(stored.0.ct_eq(&hash.0)));
        let (_, key) = known.ok_or(Denied::Unknown)?;
        key.check_time(now_unix)?;
        Ok(key)
    }
}

fn credential(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers
        .get(AUTHORIZATION)
        .and_then(|value| bearer(value.as_bytes()));
    let sent = bearer.or_else(|| {
        let named = headers.get("x-api-key").or_else(|| headers.get("api-key"));
        named.map(|value| value.as_bytes().trim_ascii())
    });
    sent.filter(|key| !key.is_empty())
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| rest.trim_ascii())
}
