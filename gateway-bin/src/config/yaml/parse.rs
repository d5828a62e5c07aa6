//! Text to tree.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess};
use serde_saphyr::{DefaultMessageFormatter, Location, MessageFormatter as _, Spanned};

use super::node::{Entry, Kind, Node};
use crate::config::{Place, Problem};

/// The deepest nesting; a configuration needs seven levels.
const DEPTH_AT_MOST: usize = 64;
/// The most keys and values of one file.
const NODES_AT_MOST: usize = 200_000;

/// Reads one YAML document.
///
/// # Errors
/// With the place, where the text is no YAML, repeats a key, or is out of all proportion.
pub(crate) fn parse(text: &str) -> Result<Node, (Option<Place>, Problem)> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: DEPTH_AT_MOST, max_nodes: NODES_AT_MOST },
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(root) => Ok(node(root)),
        Err(error) => {
            let told = match error.without_snippet() {
                serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } => {
                    format!("key `{key}` is written twice")
                }
                other => DefaultMessageFormatter.format_message(other).into_owned(),
            };
            Err((error.location().and_then(place), Problem::Syntax(told)))
        }
    }
}

fn place(location: Location) -> Option<Place> {
    (location != Location::UNKNOWN).then(|| Place {
        line: location.line(),
        column: location.column(),
    })
}

fn node(spanned: Spanned<Raw>) -> Node {
    Node {
        kind: spanned.value.0,
        place: place(spanned.referenced).unwrap_or(Place { line: 1, column: 1 }),
    }
}

/// A value that takes whatever form the text has.
struct Raw(Kind);

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything).map(Raw)
    }
}

struct Anything;

impl<'de> de::Visitor<'de> for Anything {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Signed(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Unsigned(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Raw>>()? {
            list.push(node(item));
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let key_place = place(key.referenced).unwrap_or(Place { line: 1, column: 1 });
            let value = node(map.next_value()?);
            entries.push(Entry {
                key: key.value,
                key_place,
                value,
            });
        }
        Ok(Kind::Map(entries))
    }
}
