//! JSON members that nobody interpreted.

use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The members of a JSON object in their order, each value as the bytes it came in.
///
/// The codecs take out what they know and leave the rest; writing puts it back unchanged.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    entries: Vec<(String, Box<RawValue>)>,
}

impl Fields {
    /// No members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// True without members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The raw JSON of a member.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<&str> {
        self.entries
            .iter()
            .rfind(|(name, _)| name == key)
            .map(|(_, value)| value.get())
    }

    /// Names and raw values in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.entries
            .iter()
            .map(|(name, value)| (name.as_str(), &**value))
    }

    /// Adds a member, in place of one of the same name.
    ///
    /// # Errors
    /// The serializer's error for a value that is no JSON, as a map with keys other than strings.
    pub fn put<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> serde_json::Result<()> {
        let raw = serde_json::value::to_raw_value(value)?;
        self.put_raw(key.to_owned(), raw);
        Ok(())
    }

    /// Takes a member out as `T`; `null` counts as absent.
    ///
    /// # Errors
    /// The parser's error when it is of another type; the member is gone then too.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, key: &str) -> serde_json::Result<Option<T>> {
        match self.take_raw(key) {
            Some(raw) => serde_json::from_str(raw.get()),
            None => Ok(None),
        }
    }

    /// Takes a member out as it is; the last of two with one name counts, as in most readers.
    pub(crate) fn take_raw(&mut self, key: &str) -> Option<Box<RawValue>> {
        let at = self.entries.iter().rposition(|(name, _)| name == key)?;
        let taken = self.entries.remove(at).1;
        self.entries.retain(|(name, _)| name != key);
        Some(taken)
    }

    /// Adds a member as it is, in place of one of the same name.
    pub(crate) fn put_raw(&mut self, key: String, value: Box<RawValue>) {
        match self.entries.iter_mut().find(|(name, _)| *name == key) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((key, value)),
        }
    }

    /// Adds a member behind the others without a look at their names.
    pub(crate) fn push_raw(&mut self, key: String, value: Box<RawValue>) {
        self.entries.push((key, value));
    }

    /// Adds the members of `other` whose names are not taken.
    pub(crate) fn append(&mut self, other: &Self) {
        let known = self.entries.len();
        for (name, value) in &other.entries {
            if self.entries[..known].iter().all(|(taken, _)| taken != name) {
                self.entries.push((name.clone(), value.clone()));
            }
        }
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len()
            && self
                .iter()
                .zip(other.iter())
                .all(|(a, b)| a.0 == b.0 && a.1.get() == b.1.get())
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.entries.len()))?;
        for (name, value) in &self.entries {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields::new();
                while let Some(entry) = map.next_entry()? {
                    fields.entries.push(entry);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Members)
    }
}
