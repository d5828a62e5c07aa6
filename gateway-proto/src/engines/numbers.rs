//! Small shapes that several wires share.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

use crate::ir;

/// OpenAI's `usage`.
#[derive(Deserialize)]
pub(super) struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

impl From<Usage> for ir::Usage {
    fn from(told: Usage) -> Self {
        Self {
            prompt_tokens: told.prompt_tokens,
            completion_tokens: told.completion_tokens,
            cached_tokens: told
                .prompt_tokens_details
                .and_then(|details| details.cached_tokens),
            reasoning_tokens: None,
        }
    }
}

/// Pairs as an object whose keys are the numbers in quotes.
pub(super) fn as_map<S: Serializer>(
    pairs: &[(u32, f64)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().copied())
}

/// The `top` likeliest, likeliest first; engines put the sampled token before them.
pub(super) fn likeliest(mut pairs: Vec<(u32, f64)>, top: usize) -> Vec<(u32, f64)> {
    pairs.sort_by(|a, b| b.1.total_cmp(&a.1));
    pairs.truncate(top);
    pairs
}

/// Whether there is any text, which itself is of no interest.
#[derive(Clone, Copy, Default)]
pub(super) struct IsFilled(pub(super) bool);

impl<'de> Deserialize<'de> for IsFilled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = IsFilled;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or null")
            }

            fn visit_str<E>(self, text: &str) -> Result<IsFilled, E> {
                Ok(IsFilled(!text.is_empty()))
            }

            fn visit_unit<E>(self) -> Result<IsFilled, E> {
                Ok(IsFilled(false))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// One id, or a list of them.
#[derive(Default)]
pub(super) struct Ids(pub(super) Vec<u32>);

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Ids;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a token id or a list of them")
            }

            fn visit_u64<E: serde::de::Error>(self, id: u64) -> Result<Ids, E> {
                u32::try_from(id)
                    .map(|id| Ids(vec![id]))
                    .map_err(|_| E::custom("too large for a token id"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ids, A::Error> {
                let mut ids = Vec::new();
                while let Some(id) = list.next_element()? {
                    ids.push(id);
                }
                Ok(Ids(ids))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}
