//! The elements of JSON arrays, one at a time: a body of many small ones is never there in a second form, and what is
//! wrong with the first is found before the last is looked at.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Why not all elements were read.
pub(crate) enum Stopped<E> {
    /// There is no array, or an element of another type.
    Json(serde_json::Error),
    /// The reader's own error.
    Refused(E),
}

/// Hands the elements of the array `raw` to `read`, each with its number, up to the first error.
pub(crate) fn each<'de, T: Deserialize<'de>, E>(
    raw: &'de RawValue,
    read: impl FnMut(usize, T) -> Result<(), E>,
) -> Result<(), Stopped<E>> {
    let mut each = Each {
        read,
        refused: None,
        element: PhantomData,
    };
    let result = serde_json::Deserializer::from_str(raw.get()).deserialize_seq(&mut each);
    match (result, each.refused) {
        (_, Some(refused)) => Err(Stopped::Refused(refused)),
        (Ok(()), None) => Ok(()),
        (Err(error), None) => Err(Stopped::Json(error)),
    }
}

struct Each<T, F, E> {
    read: F,
    refused: Option<E>,
    element: PhantomData<fn() -> T>,
}

impl<'de, T, F, E> Visitor<'de> for &mut Each<T, F, E>
where
    T: Deserialize<'de>,
    F: FnMut(usize, T) -> Result<(), E>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut at = 0;
        while let Some(element) = list.next_element()? {
            if let Err(refused) = (self.read)(at, element) {
                self.refused = Some(refused);
                return Err(A::Error::custom("an element is refused"));
            }
            at += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was read, and how it ended.
    fn read(json: &str) -> (Vec<u32>, Result<(), Stopped<usize>>) {
        let raw: &RawValue = serde_json::from_str(json).expect("JSON");
        let mut seen = Vec::new();
        let end = each(raw, |at, number: u32| {
            seen.push(number);
            if number > 9 { Err(at) } else { Ok(()) }
        });
        (seen, end)
    }

    #[test]
    fn nothing_behind_the_first_refusal_is_looked_at() {
        let (seen, end) = read("[1, 10, 2, \"no number\"]");
        assert_eq!(seen, [1, 10]);
        assert!(matches!(end, Err(Stopped::Refused(1))));
    }

    #[test]
    fn what_is_no_array_of_such_elements_is_told() {
        assert!(matches!(read("[1, 2]"), (seen, Ok(())) if seen == [1, 2]));
        for json in ["{}", "7", "[1, \"a\"]"] {
            assert!(matches!(read(json).1, Err(Stopped::Json(_))), "{json}");
        }
    }
}
