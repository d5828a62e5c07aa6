//! vLLM's `extra_keys`: for each block nil, or what beside the tokens went into its hash.
//!
//! Up to 0.28 the values stand bare: the adapter's name, `(identifier, offset)` of media, the salt (first block only),
//! digests of given embeddings. From 0.31 each is an array that starts with its kind.

use gateway_core::hash;
use gateway_core::kvfeed::{KvBatch, Mark};
use rmp::Marker;

use super::KvEventError;
use super::fields::Fields;
use super::reader::Reader;

/// Reads the keys into the fields' adapter and salt, and marks blocks whose tokens do not tell their content.
pub(super) fn read<'a>(
    fields: &mut Fields<'a>,
    reader: &mut Reader<'a>,
    batch: &mut KvBatch,
) -> Result<(), KvEventError> {
    for block in 0..reader.array()? {
        if reader.nil()? {
            continue;
        }
        for _ in 0..reader.array()? {
            let starts_prompt = block == 0 && fields.parent.is_none();
            if let Some(fingerprint) = key(fields, reader, starts_prompt)? {
                let block = u32::try_from(block).unwrap_or(u32::MAX);
                batch.mark(Mark { block, fingerprint });
            }
        }
    }
    Ok(())
}

/// Reads one key; gives a fingerprint if it is about the block's content.
fn key<'a>(
    fields: &mut Fields<'a>,
    reader: &mut Reader<'a>,
    starts_prompt: bool,
) -> Result<Option<u64>, KvEventError> {
    match reader.peek()? {
        Marker::FixArray(2..) => return tuple(fields, reader),
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {}
        _ => return raw(reader).map(|bytes| Some(hash::seed(&[bytes]))),
    }
    let name = reader.text()?;
    if fields.adapter == Some(name) {
        return Ok(None);
    }
    if starts_prompt && fields.salt.is_none() {
        fields.salt = Some(name);
        return Ok(None);
    }
    Ok(Some(hash::seed(&[name])))
}

/// Reads a key that is an array of at least two values.
fn tuple<'a>(
    fields: &mut Fields<'a>,
    reader: &mut Reader<'a>,
) -> Result<Option<u64>, KvEventError> {
    let count = reader.array()?;
    let first = raw_text(reader)?;
    let second_at = reader.clone();
    let second = raw(reader)?;
    let third = if count > 2 { raw(reader)? } else { &[] };
    for _ in 3..count {
        reader.skip()?;
    }
    match first.text {
        b"lora" => {
            let name = second_at.clone().text()?;
            fields.adapter = fields.adapter.or(Some(name));
            Ok(None)
        }
        b"cache_salt" => {
            fields.salt = Some(second_at.clone().text()?);
            Ok(None)
        }
        b"mm" => Ok(Some(hash::seed(&[second, third]))),
        _ => Ok(Some(hash::seed(&[first.raw, second]))),
    }
}

struct Text<'a> {
    text: &'a [u8],
    raw: &'a [u8],
}

/// A value's own bytes, with what it says if it is a text.
fn raw_text<'a>(reader: &mut Reader<'a>) -> Result<Text<'a>, KvEventError> {
    let text = reader.clone().text().unwrap_or_default();
    let raw = raw(reader)?;
    Ok(Text { text, raw })
}

fn raw<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], KvEventError> {
    let from = reader.at();
    reader.skip()?;
    Ok(reader.since(from))
}
