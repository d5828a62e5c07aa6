//! Reading what senders write in more than one way.

use serde::{Deserialize, Deserializer};

/// A block id: any integer, taken as 64 bits.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Unsigned(u64),
    Signed(i64),
}

/// A list of block ids; `null` is an empty one.
pub(super) fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    let ids = Option::<Vec<Id>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(ids
        .into_iter()
        .map(|id| match id {
            Id::Unsigned(id) => id,
            Id::Signed(id) => id.cast_unsigned(),
        })
        .collect())
}

/// A name that may be written as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Number(serde_json::Number),
}

/// An optional name.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = Option::<Name>::deserialize(deserializer)?;
    Ok(name.map(|name| match name {
        Name::Text(text) => text,
        Name::Number(number) => number.to_string(),
    }))
}
