//! The end of a JSON list whose beginning is known.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The elements of `list` behind the first `skip`, which are passed over without being built; no list is an empty one.
pub(super) fn behind<T: DeserializeOwned>(
    list: Option<&RawValue>,
    skip: usize,
) -> serde_json::Result<Vec<T>> {
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let behind = Behind {
        skip,
        element: PhantomData,
    };
    serde_json::Deserializer::from_str(list.get()).deserialize_seq(behind)
}

/// How many elements a flat list has.
pub(super) fn count(list: &RawValue) -> usize {
    let inner = list
        .get()
        .trim_matches(|c: char| "[]".contains(c) || c.is_ascii_whitespace());
    if inner.is_empty() {
        return 0;
    }
    1 + memchr::memchr_iter(b',', inner.as_bytes()).count()
}

struct Behind<T> {
    skip: usize,
    element: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Behind<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        for _ in 0..self.skip {
            if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(Vec::new());
            }
        }
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(elements)
    }
}
