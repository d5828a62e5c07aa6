//! The data of one polled event.

use std::{borrow::Cow, fmt};

use gateway_core::hash;
use gateway_core::kvfeed::EngineHash;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

/// What an event tells.
#[derive(Debug)]
pub(super) enum Data {
    /// The cache was made.
    Created,
    Stored(Stored),
    Removed(Vec<EngineHash>),
    /// A block went from one level to another; none where only its priority changed.
    Updated(EngineHash, Option<Diff>),
    Unknown,
}

/// Blocks of one chain.
#[derive(Debug, Deserialize)]
pub(super) struct Stored {
    #[serde(deserialize_with = "maybe_name", default)]
    pub(super) parent_hash: Option<EngineHash>,
    pub(super) blocks: Vec<Block>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Block {
    #[serde(deserialize_with = "name")]
    pub(super) block_hash: EngineHash,
    pub(super) tokens: Vec<Token>,
    /// 0 is the device, 1 the host.
    #[serde(default)]
    pub(super) cache_level: Option<u8>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Token {
    pub(super) token_id: u32,
    /// What stands here that the id does not say; 0 for nothing.
    #[serde(default)]
    pub(super) token_extra_id: u64,
}

/// Levels before and after.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Diff {
    pub(super) old_value: u8,
    pub(super) new_value: u8,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Removed {
    block_hashes: Vec<Name>,
}

#[derive(Deserialize)]
struct Updated {
    #[serde(deserialize_with = "name")]
    block_hash: EngineHash,
    #[serde(default)]
    cache_level: Option<Diff>,
}

impl Data {
    pub(super) fn read(text: &str) -> Result<Self, serde_json::Error> {
        let kind: Kind<'_> = serde_json::from_str(text)?;
        Ok(match &*kind.name {
            "created" => Self::Created,
            "stored" => Self::Stored(serde_json::from_str(text)?),
            "removed" => {
                let removed: Removed = serde_json::from_str(text)?;
                Self::Removed(
                    removed
                        .block_hashes
                        .into_iter()
                        .map(|name| name.0)
                        .collect(),
                )
            }
            "updated" => {
                let updated: Updated = serde_json::from_str(text)?;
                let levels = updated.cache_level;
                let levels = levels.filter(|diff| diff.old_value != diff.new_value);
                Self::Updated(updated.block_hash, levels)
            }
            _ => Self::Unknown,
        })
    }
}

/// A block's name: a number of 64 bits, or a text.
struct Name(EngineHash);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        name(deserializer).map(Self)
    }
}

fn maybe_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<EngineHash>, D::Error> {
    Ok(Option::<Name>::deserialize(deserializer)?.map(|name| name.0))
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EngineHash, D::Error> {
    struct Named;

    impl Visitor<'_> for Named {
        type Value = EngineHash;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a block's hash")
        }

        fn visit_u64<E: Error>(self, hash: u64) -> Result<EngineHash, E> {
            Ok(EngineHash(hash))
        }

        fn visit_i64<E: Error>(self, hash: i64) -> Result<EngineHash, E> {
            Ok(EngineHash(hash.cast_unsigned()))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<EngineHash, E> {
            Ok(EngineHash(hash::seed(&[text.as_bytes()])))
        }
    }

    deserializer.deserialize_any(Named)
}
