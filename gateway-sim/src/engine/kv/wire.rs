//! The bytes of a batch of KV events.

use bytes::Bytes;
use serde::{Serialize, Serializer};

use crate::engine::config::{EventForm, HashForm};
use crate::model::KvEvent;

/// Blocks are on the device; other media do not exist here.
const MEDIUM: &str = "GPU";

/// A block's name as it is written.
struct Hash(u64, HashForm);

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.1 {
            HashForm::Unsigned => serializer.serialize_u64(self.0),
            HashForm::Signed => serializer.serialize_i64(self.0.cast_signed()),
            HashForm::Raw => {
                let mut digest = [0x5a; 32];
                digest[24..].copy_from_slice(&self.0.to_be_bytes());
                serializer.serialize_bytes(&digest)
            }
        }
    }
}

/// One event as a map: fields that vLLM leaves out at their default are left out.
#[derive(Serialize)]
#[serde(tag = "type")]
enum MapEvent<'a> {
    BlockStored {
        block_hashes: Vec<Hash>,
        parent_block_hash: Option<Hash>,
        token_ids: &'a [u32],
        block_size: u32,
        lora_id: Option<u32>,
        medium: &'a str,
        lora_name: Option<&'a str>,
        extra_keys: Vec<Option<()>>,
        group_idx: u32,
        kv_cache_spec_kind: &'a str,
    },
    BlockRemoved {
        block_hashes: [Hash; 1],
        medium: &'a str,
        group_idx: u32,
    },
    AllBlocksCleared,
}

/// One event as an array, as vLLM 0.18 wrote it: trailing defaults stay.
#[derive(Serialize)]
#[serde(untagged)]
enum ArrayEvent<'a> {
    Stored(
        &'a str,
        Vec<Hash>,
        Option<Hash>,
        &'a [u32],
        u32,
        Option<u32>,
        &'a str,
        Option<&'a str>,
        Option<()>,
    ),
    Removed(&'a str, [Hash; 1], &'a str),
    Cleared([&'a str; 1]),
}

/// A batch in MessagePack.
pub(super) fn encode(
    form: EventForm,
    names: HashForm,
    unix_seconds: f64,
    events: &[KvEvent],
    block_tokens: u32,
    rank: u32,
) -> Bytes {
    let encoded = match form {
        EventForm::Map => {
            let events: Vec<_> = events
                .iter()
                .map(|event| map_event(event, block_tokens, names))
                .collect();
            rmp_serde::to_vec_named(&(unix_seconds, events, rank))
        }
        EventForm::Array => {
            let events: Vec<_> = events
                .iter()
                .map(|event| array_event(event, block_tokens, names))
                .collect();
            rmp_serde::to_vec(&(unix_seconds, events, rank))
        }
    };
    encoded.expect("numbers and strings always encode").into()
}

fn map_event(event: &KvEvent, block_size: u32, names: HashForm) -> MapEvent<'_> {
    match event {
        KvEvent::Stored {
            hashes,
            parent,
            tokens,
        } => MapEvent::BlockStored {
            block_hashes: hashes.iter().map(|hash| Hash(hash.0, names)).collect(),
            parent_block_hash: parent.map(|hash| Hash(hash.0, names)),
            token_ids: tokens,
            block_size,
            lora_id: None,
            medium: MEDIUM,
            lora_name: None,
            extra_keys: vec![None; hashes.len()],
            group_idx: 0,
            kv_cache_spec_kind: "full_attention",
        },
        KvEvent::Removed { hash } => MapEvent::BlockRemoved {
            block_hashes: [Hash(hash.0, names)],
            medium: MEDIUM,
            group_idx: 0,
        },
        KvEvent::Cleared => MapEvent::AllBlocksCleared,
    }
}

fn array_event(event: &KvEvent, block_size: u32, names: HashForm) -> ArrayEvent<'_> {
    match event {
        KvEvent::Stored {
            hashes,
            parent,
            tokens,
        } => {
            let hashes = hashes.iter().map(|hash| Hash(hash.0, names)).collect();
            let parent = parent.map(|hash| Hash(hash.0, names));
            ArrayEvent::Stored(
                "BlockStored",
                hashes,
                parent,
                tokens,
                block_size,
                None,
                MEDIUM,
                None,
                None,
            )
        }
        KvEvent::Removed { hash } => {
            ArrayEvent::Removed("BlockRemoved", [Hash(hash.0, names)], MEDIUM)
        }
        KvEvent::Cleared => ArrayEvent::Cleared(["AllBlocksCleared"]),
    }
}

#[cfg(test)]
mod tests {
    use gateway_core::BlockHash;

    use super::*;

    fn batch() -> Vec<KvEvent> {
        vec![
            KvEvent::Stored {
                hashes: vec![BlockHash(7), BlockHash(8)],
                parent: None,
                tokens: vec![1, 2, 3, 4],
            },
            KvEvent::Removed { hash: BlockHash(7) },
            KvEvent::Cleared,
        ]
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn arrays_are_byte_for_byte_those_of_vllm_0_18() {
        let stored = "99ab426c6f636b53746f726564920708c0940102030402c0a3475055c0c0";
        let removed = "93ac426c6f636b52656d6f7665649107a3475055";
        let cleared = "91b0416c6c426c6f636b73436c6561726564";
        let expected = format!("93cb3ff800000000000093{stored}{removed}{cleared}00");
        assert_eq!(
            hex(&encode(
                EventForm::Array,
                HashForm::Unsigned,
                1.5,
                &batch(),
                2,
                0
            )),
            expected
        );
    }

    #[test]
    fn maps_are_byte_for_byte_those_of_vllm_0_32() {
        let stored = concat!(
            "8ba474797065ab426c6f636b53746f726564",
            "ac626c6f636b5f686173686573920708",
            "b1706172656e745f626c6f636b5f68617368c0",
            "a9746f6b656e5f6964739401020304",
            "aa626c6f636b5f73697a6502",
            "a76c6f72615f6964c0",
            "a66d656469756da3475055",
            "a96c6f72615f6e616d65c0",
            "aa65787472615f6b65797392c0c0",
            "a967726f75705f69647800",
            "b26b765f63616368655f737065635f6b696e64ae66756c6c5f617474656e74696f6e",
        );
        let removed = concat!(
            "84a474797065ac426c6f636b52656d6f766564",
            "ac626c6f636b5f6861736865739107",
            "a66d656469756da3475055",
            "a967726f75705f69647800",
        );
        let cleared = "81a474797065b0416c6c426c6f636b73436c6561726564";
        let expected = format!("93cb3ff800000000000093{stored}{removed}{cleared}00");
        assert_eq!(
            hex(&encode(
                EventForm::Map,
                HashForm::Unsigned,
                1.5,
                &batch(),
                2,
                0
            )),
            expected
        );
    }

    #[test]
    fn hashes_are_written_in_the_form_asked_for() {
        let removed = [KvEvent::Removed {
            hash: BlockHash(u64::MAX - 1),
        }];
        let written = |names| hex(&encode(EventForm::Array, names, 1.5, &removed, 2, 0));
        assert!(written(HashForm::Unsigned).contains("91cffffffffffffffffe"));
        assert!(written(HashForm::Signed).contains("91fea3475055"));
        let digest = format!("91c420{}fffffffffffffffe", "5a".repeat(24));
        assert!(written(HashForm::Raw).contains(&digest));
    }
}
