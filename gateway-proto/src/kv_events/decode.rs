//! A payload into a batch.

use gateway_core::kvfeed::{KvBatch, Origin, token_seed};
use rmp::Marker;

use super::KvEventError;
use super::extra;
use super::fields::{Field, Fields};
use super::reader::Reader;

/// Reads one payload into `batch`, which loses what it held.
///
/// A batch is `[seconds, [events], rank?]`, and elements behind these are passed over. Each event is an array that starts
/// with its name or a map with its `type`; unknown events, unknown keys and surplus elements are passed over, events about
/// blocks that lie with another engine (`locality: REMOTE`) too: whoever holds them tells. Memory is bounded by a small
/// multiple of the payload's length. After an error the batch holds nothing that may be used.
///
/// # Errors
/// Where the payload is no such batch, with the place.
pub fn decode(payload: &[u8], batch: &mut KvBatch) -> Result<(), KvEventError> {
    let mut reader = Reader::new(payload);
    batch.reset(None, None);
    let outcome = read_batch(&mut reader, batch);
    if outcome.is_err() {
        batch.reset(None, None);
    }
    outcome
}

fn read_batch(reader: &mut Reader<'_>, batch: &mut KvBatch) -> Result<(), KvEventError> {
    let elements = reader.array()?;
    if elements < 2 {
        return Err(super::reader::unexpected(0, "a batch of two elements"));
    }
    let published = if reader.nil()? {
        None
    } else {
        Some(reader.float()?)
    };
    batch.reset(published, None);
    for _ in 0..reader.array()? {
        event(reader, batch)?;
    }
    if elements > 2 && !reader.nil()? {
        batch.set_rank(u32::try_from(reader.integer()?).ok());
    }
    for _ in 3..elements {
        reader.skip()?;
    }
    if !reader.is_at_end() {
        return Err(KvEventError::Trailing { at: reader.at() });
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Event {
    Stored,
    Removed,
    Cleared,
    Unknown,
}

impl Event {
    fn from_name(name: &[u8]) -> Self {
        match name {
            b"BlockStored" => Self::Stored,
            b"BlockRemoved" => Self::Removed,
            b"AllBlocksCleared" => Self::Cleared,
            _ => Self::Unknown,
        }
    }

    /// Its fields as an array, behind its name.
    fn order(self) -> &'static [Field] {
        match self {
            Self::Stored => &Field::STORED,
            Self::Removed => &Field::REMOVED,
            Self::Cleared | Self::Unknown => &[],
        }
    }
}

fn event(reader: &mut Reader<'_>, batch: &mut KvBatch) -> Result<(), KvEventError> {
    match reader.peek()? {
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => from_array(reader, batch),
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => from_map(reader, batch),
        _ => {
            reader.skip()?;
            batch.unknown();
            Ok(())
        }
    }
}

fn from_array(reader: &mut Reader<'_>, batch: &mut KvBatch) -> Result<(), KvEventError> {
    let elements = reader.array()?;
    if elements == 0 {
        batch.unknown();
        return Ok(());
    }
    let event = name(reader)?;
    let mut fields = Fields::default();
    let mut order = event.order().iter();
    for _ in 1..elements {
        match order.next() {
            Some(field) => fields.read(*field, reader, batch)?,
            None => reader.skip()?,
        }
    }
    close(event, fields, batch)
}

fn from_map(reader: &mut Reader<'_>, batch: &mut KvBatch) -> Result<(), KvEventError> {
    let pairs = reader.map()?;
    let event = map_type(reader.clone(), pairs)?;
    let mut fields = Fields::default();
    for _ in 0..pairs {
        let field = key(reader)?.and_then(Field::from_name);
        match (event, field) {
            (Event::Stored | Event::Removed, Some(field)) => fields.read(field, reader, batch)?,
            _ => reader.skip()?,
        }
    }
    close(event, fields, batch)
}

/// What kind of event a map is; engines say so first, but a map has no order.
fn map_type(mut reader: Reader<'_>, pairs: usize) -> Result<Event, KvEventError> {
    for _ in 0..pairs {
        if key(&mut reader)? == Some(b"type") {
            return name(&mut reader);
        }
        reader.skip()?;
    }
    Ok(Event::Unknown)
}

/// A map's key, if it is a text.
fn key<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, KvEventError> {
    match reader.peek()? {
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => reader.text().map(Some),
        _ => reader.skip().map(|()| None),
    }
}

fn name(reader: &mut Reader<'_>) -> Result<Event, KvEventError> {
    Ok(key(reader)?.map_or(Event::Unknown, Event::from_name))
}

fn close(event: Event, mut fields: Fields<'_>, batch: &mut KvBatch) -> Result<(), KvEventError> {
    if fields.locality == Some(b"REMOTE") {
        batch.unknown();
        return Ok(());
    }
    match event {
        Event::Stored => {
            if let Some(mut extra_keys) = fields.extra_keys.take() {
                extra::read(&mut fields, &mut extra_keys, batch)?;
            }
            batch.stored(origin(&fields));
        }
        Event::Removed => batch.removed(fields.tier(), fields.group),
        Event::Cleared => batch.cleared(),
        Event::Unknown => batch.unknown(),
    }
    Ok(())
}

fn origin(fields: &Fields<'_>) -> Origin {
    let mut numbered = [0; 9];
    numbered[1..].copy_from_slice(&fields.lora_id.to_be_bytes());
    let adapter = match (fields.adapter, fields.lora_id) {
        (Some(name), _) => name,
        (None, 0) => &[],
        // Only its number is known: apart from the base model, and from every adapter that has a name.
        (None, _) => &numbered,
    };
    Origin {
        parent: fields.parent,
        block_tokens: fields.block_tokens,
        seed: token_seed(adapter, fields.salt.unwrap_or_default()),
        tier: fields.tier(),
        group: fields.group.unwrap_or(0),
        dense: fields.is_dense(),
    }
}
