//! The fields of one event, in either encoding.

use gateway_core::kvfeed::{EngineHash, KvBatch, Tier};
use rmp::Marker;

use super::KvEventError;
use super::reader::{Reader, unexpected};

/// An event's fields, as far as anybody here wants them. Hashes and tokens go straight into the batch.
#[derive(Default)]
pub(super) struct Fields<'a> {
    pub(super) parent: Option<EngineHash>,
    pub(super) block_tokens: u32,
    pub(super) lora_id: u64,
    pub(super) adapter: Option<&'a [u8]>,
    pub(super) salt: Option<&'a [u8]>,
    pub(super) medium: Option<&'a [u8]>,
    pub(super) group: Option<u32>,
    pub(super) kind: Option<&'a [u8]>,
    pub(super) locality: Option<&'a [u8]>,
    /// Where `extra_keys` begin: they are read last, because what they mean depends on other fields.
    pub(super) extra_keys: Option<Reader<'a>>,
}

/// A field that is read; every other is passed over.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Hashes,
    Parent,
    Tokens,
    BlockSize,
    LoraId,
    Medium,
    LoraName,
    ExtraKeys,
    Group,
    Kind,
    Locality,
    Salt,
}

impl Field {
    /// `BlockStored` as an array, behind its name.
    pub(super) const STORED: [Self; 10] = [
        Self::Hashes,
        Self::Parent,
        Self::Tokens,
        Self::BlockSize,
        Self::LoraId,
        Self::Medium,
        Self::LoraName,
        Self::ExtraKeys,
        Self::Group,
        Self::Kind,
    ];
    /// `BlockRemoved` as an array, behind its name.
    pub(super) const REMOVED: [Self; 3] = [Self::Hashes, Self::Medium, Self::Group];

    /// The field with this name in a map.
    pub(super) fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"block_hashes" => Self::Hashes,
            b"parent_block_hash" => Self::Parent,
            b"token_ids" => Self::Tokens,
            b"block_size" => Self::BlockSize,
            b"lora_id" => Self::LoraId,
            b"medium" => Self::Medium,
            b"lora_name" => Self::LoraName,
            b"extra_keys" => Self::ExtraKeys,
            b"group_idx" => Self::Group,
            b"kv_cache_spec_kind" => Self::Kind,
            b"locality" => Self::Locality,
            b"cache_salt" => Self::Salt,
            _ => return None,
        })
    }
}

impl<'a> Fields<'a> {
    /// Reads the value of one field.
    pub(super) fn read(
        &mut self,
        field: Field,
        reader: &mut Reader<'a>,
        batch: &mut KvBatch,
    ) -> Result<(), KvEventError> {
        if reader.nil()? {
            return Ok(());
        }
        match field {
            Field::Hashes => hashes(reader, batch.hashes_mut())?,
            Field::Parent => self.parent = Some(hash(reader)?),
            Field::Tokens => tokens(reader, batch.tokens_mut())?,
            Field::BlockSize => self.block_tokens = small(reader)?,
            Field::LoraId => self.lora_id = reader.integer()?,
            Field::Medium => self.medium = Some(reader.text()?),
            Field::LoraName if matches!(reader.peek()?, Marker::FixMap(_)) => {
                self.metadata(reader)?;
            }
            Field::LoraName => self.adapter = Some(reader.text()?),
            Field::ExtraKeys => {
                self.extra_keys = Some(reader.clone());
                reader.skip()?;
            }
            Field::Group => self.group = Some(small(reader)?),
            Field::Kind => self.kind = Some(reader.text()?),
            Field::Locality => self.locality = Some(reader.text()?),
            Field::Salt => self.salt = Some(reader.text()?),
        }
        Ok(())
    }

    /// SGLang 0.5.19 has a map where vLLM has the adapter's name.
    fn metadata(&mut self, reader: &mut Reader<'a>) -> Result<(), KvEventError> {
        for _ in 0..reader.map()? {
            let name = reader.text()?;
            match reader.peek()? {
                Marker::FixStr(_) | Marker::Str8 | Marker::Str16 if name == b"cache_salt" => {
                    self.salt = Some(reader.text()?);
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    /// Where the blocks lie. Stores outside count as disks, and so does what is not known: slow, but there.
    pub(super) fn tier(&self) -> Tier {
        match self.medium {
            None | Some(b"GPU") => Tier::Device,
            Some(b"CPU" | b"CPU_PINNED") => Tier::Host,
            Some(_) => Tier::Disk,
        }
    }

    /// Whether the group keeps all tokens of a prompt, as groups do that do not say what they are.
    pub(super) fn is_dense(&self) -> bool {
        matches!(
            self.kind,
            None | Some(b"full_attention" | b"mla_attention" | b"sink_full_attention")
        )
    }
}

fn hashes(reader: &mut Reader<'_>, out: &mut Vec<EngineHash>) -> Result<(), KvEventError> {
    let count = reader.array()?;
    out.reserve(count);
    for _ in 0..count {
        out.push(hash(reader)?);
    }
    Ok(())
}

/// An integer's bits, or the last 8 bytes of a digest: so vLLM shortens its own.
fn hash(reader: &mut Reader<'_>) -> Result<EngineHash, KvEventError> {
    let at = reader.at();
    match reader.peek()? {
        Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
            let digest = reader.text()?;
            let tail = &digest[digest.len().saturating_sub(8)..];
            let bits = tail
                .iter()
                .fold(0, |bits, byte| bits << 8 | u64::from(*byte));
            Ok(EngineHash(bits))
        }
        _ => reader
            .integer()
            .map(EngineHash)
            .map_err(|error| match error {
                KvEventError::Unexpected { .. } => unexpected(at, "a hash"),
                other => other,
            }),
    }
}

fn tokens(reader: &mut Reader<'_>, out: &mut Vec<u32>) -> Result<(), KvEventError> {
    let count = reader.array()?;
    out.reserve(count);
    for _ in 0..count {
        out.push(token(reader)?);
    }
    Ok(())
}

/// A token id. Of the pairs that SGLang sends for drafting models the first is the block's own. Ids beyond 32 bits keep
/// their low ones: no prompt has such.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn token(reader: &mut Reader<'_>) -> Result<u32, KvEventError> {
    if !matches!(reader.peek()?, Marker::FixArray(1..)) {
        return reader.integer().map(|id| id as u32);
    }
    let others = reader.array()? - 1;
    let id = reader.integer()?;
    for _ in 0..others {
        reader.skip()?;
    }
    Ok(id as u32)
}

/// A number that fits 32 bits; the largest for any beyond.
fn small(reader: &mut Reader<'_>) -> Result<u32, KvEventError> {
    Ok(u32::try_from(reader.integer()?).unwrap_or(u32::MAX))
}
