//! Reading what senders write in more than one way: whole numbers as floats, `null` for what is not known.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};

/// What is unknown or not said: `null` is as good as nothing.
pub(super) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A time in seconds; no number where `null`.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// The time of a message that does not say it.
pub(super) fn unsaid() -> f64 {
    f64::NAN
}

/// A number that names something: whole, not negative, in range.
pub(super) fn name<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let Named(number) = Named::deserialize(deserializer)?;
    T::try_from(number).map_err(|_| D::Error::invalid_value(Unexpected::Unsigned(number), &NAME))
}

/// A list of such numbers, if there is one.
pub(super) fn names<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<u32>>, D::Error> {
    let Some(names) = Option::<Vec<Named>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let narrow = |Named(number)| {
        u32::try_from(number)
            .map_err(|_| D::Error::invalid_value(Unexpected::Unsigned(number), &NAME))
    };
    names
        .into_iter()
        .map(narrow)
        .collect::<Result<_, _>>()
        .map(Some)
}

/// How many of something: fractions fall away, and what is out of range is the nearest that is not.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    Ok(counted(deserializer)?.unwrap_or_default())
}

/// As [`count`], if it is known.
pub(super) fn counted<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64> + Bounded,
{
    let number = Option::<f64>::deserialize(deserializer)?.filter(|number| !number.is_nan());
    Ok(number.map(|number| T::try_from(number as u64).unwrap_or(T::MAX)))
}

/// A number with a largest value.
pub(super) trait Bounded {
    /// It.
    const MAX: Self;
}

impl Bounded for u32 {
    const MAX: Self = Self::MAX;
}

impl Bounded for u64 {
    const MAX: Self = Self::MAX;
}

/// A list of block ids; `null` is an empty one.
pub(super) fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    let ids = Option::<Vec<Id>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(ids.into_iter().map(|Id(id)| id).collect())
}

/// What a sender calls it, if anything: text, or a number.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Name {
        Text(String),
        Number(serde_json::Number),
    }
    let name = Option::<Name>::deserialize(deserializer)?;
    Ok(name.map(|name| match name {
        Name::Text(text) => text,
        Name::Number(number) => number.to_string(),
    }))
}

const NAME: &str = "a whole number from 0";

/// A block id: any number. Negative ones are taken as 64 bits, and so is what is beyond them.
struct Id(u64);

/// A whole number that is not negative.
struct Named(u64);

/// What becomes of a number, however it is written.
trait Number: Sized {
    const EXPECTED: &str;
    fn unsigned(number: u64) -> Self;
    fn signed(number: i64) -> Option<Self>;
    fn float(number: f64) -> Option<Self>;
}

/// Floats below it name each whole number once.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() < EXACT
}

impl Number for Id {
    const EXPECTED: &str = "a number";

    fn unsigned(number: u64) -> Self {
        Self(number)
    }

    fn signed(number: i64) -> Option<Self> {
        Some(Self(number.cast_unsigned()))
    }

    fn float(number: f64) -> Option<Self> {
        Some(Self(if is_whole(number) {
            (number as i64).cast_unsigned()
        } else {
            number.to_bits()
        }))
    }
}

impl Number for Named {
    const EXPECTED: &str = NAME;

    fn unsigned(number: u64) -> Self {
        Self(number)
    }

    fn signed(number: i64) -> Option<Self> {
        u64::try_from(number).ok().map(Self)
    }

    fn float(number: f64) -> Option<Self> {
        (is_whole(number) && number >= 0.0).then_some(Self(number as u64))
    }
}

struct Numbers<N>(PhantomData<N>);

impl<N: Number> Visitor<'_> for Numbers<N> {
    type Value = N;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(N::EXPECTED)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<N, E> {
        Ok(N::unsigned(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<N, E> {
        N::signed(number).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<N, E> {
        N::float(number).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Numbers(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Numbers(PhantomData))
    }
}
