//! A body read in place: members as slices of it, paths only where something is wrong.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::dialect::DialectError;
use crate::ir::Fields;
use crate::openai::JsonKind;

/// The deepest nesting of a body. `serde_json` reads no deeper tree, so nothing that is kept raw may go beyond it.
const DEPTH: usize = 120;

/// Where a value stands: `messages.3.content.0`.
#[derive(Clone, Copy)]
pub(super) enum Place<'p> {
    Body,
    Member(&'p Place<'p>, &'p str),
    Element(&'p Place<'p>, usize),
}

impl Place<'_> {
    /// The error for what is wrong here.
    pub(super) fn fault(&self, message: impl Into<String>) -> DialectError {
        match self {
            Self::Body => DialectError::body(message),
            _ => DialectError::at(self.to_string(), message),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = match self {
            Self::Body => return Ok(()),
            Self::Member(parent, _) | Self::Element(parent, _) => parent,
        };
        if !matches!(parent, Self::Body) {
            write!(f, "{parent}.")?;
        }
        match self {
            Self::Member(_, key) => f.write_str(key),
            Self::Element(_, index) => index.fmt(f),
            Self::Body => Ok(()),
        }
    }
}

/// One value of the body.
#[derive(Clone, Copy)]
pub(super) struct Node<'a, 'p> {
    pub(super) raw: &'a RawValue,
    pub(super) place: Place<'p>,
}

impl<'a, 'p> Node<'a, 'p> {
    pub(super) fn kind(&self) -> JsonKind {
        match self.raw.get().as_bytes().first() {
            Some(b'{') => JsonKind::Object,
            Some(b'[') => JsonKind::Array,
            Some(b'"') => JsonKind::String,
            Some(b't' | b'f') => JsonKind::Bool,
            Some(b'n') => JsonKind::Null,
            _ => JsonKind::Number,
        }
    }

    pub(super) fn fault(&self, message: impl Into<String>) -> DialectError {
        self.place.fault(message)
    }

    /// The error for a value of the wrong type.
    pub(super) fn expected(&self, what: &str) -> DialectError {
        let found = self.kind();
        self.fault(format!("expected {what}, but got {found}"))
            .with_code("invalid_type")
    }

    fn read<T: Deserialize<'a>>(&self, want: JsonKind, what: &str) -> Result<T, DialectError> {
        if self.kind() != want {
            return Err(self.expected(what));
        }
        serde_json::from_str(self.raw.get()).map_err(|_| {
            let problem = match want {
                JsonKind::Number => format!("expected {what}"),
                _ => "not valid Unicode".to_owned(),
            };
            self.fault(problem).with_code("invalid_value")
        })
    }

    pub(super) fn string(&self) -> Result<Cow<'a, str>, DialectError> {
        let text: Text<'a> = self.read(JsonKind::String, "a string")?;
        Ok(text.0)
    }

    /// A string that says something.
    pub(super) fn filled(&self) -> Result<String, DialectError> {
        let text = self.string()?;
        if text.is_empty() {
            return Err(self.fault("must not be empty").with_code("invalid_value"));
        }
        Ok(text.into_owned())
    }

    pub(super) fn boolean(&self) -> Result<bool, DialectError> {
        self.read(JsonKind::Bool, "a boolean")
    }

    pub(super) fn at_least(&self, least: u64) -> Result<u64, DialectError> {
        let what = format!("an integer of at least {least}");
        let number: u64 = self.read(JsonKind::Number, &what)?;
        if number < least {
            return Err(self
                .fault(format!("expected {what}"))
                .with_code("invalid_value"));
        }
        Ok(number)
    }

    pub(super) fn within(&self, range: RangeInclusive<f64>) -> Result<f64, DialectError> {
        let what = format!("a number from {} to {}", range.start(), range.end());
        let number: f64 = self.read(JsonKind::Number, &what)?;
        if !range.contains(&number) {
            return Err(self
                .fault(format!("expected {what}"))
                .with_code("invalid_value"));
        }
        Ok(number)
    }

    pub(super) fn object(&self) -> Result<Object<'a, '_>, DialectError> {
        let entries: Entries<'a> = self.read(JsonKind::Object, "an object")?;
        Ok(Object {
            entries: entries.0,
            place: &self.place,
        })
    }

    pub(super) fn array(&self) -> Result<Vec<&'a RawValue>, DialectError> {
        self.read(JsonKind::Array, "an array")
    }

    /// An element of this array.
    pub(super) fn element(&self, index: usize, raw: &'a RawValue) -> Node<'a, '_> {
        Node {
            raw,
            place: Place::Element(&self.place, index),
        }
    }
}

/// An object being taken apart.
pub(super) struct Object<'a, 'p> {
    entries: Vec<(Text<'a>, &'a RawValue)>,
    pub(super) place: &'p Place<'p>,
}

impl<'a, 'p> Object<'a, 'p> {
    /// The body itself.
    pub(super) fn of_body(body: &'a [u8]) -> Result<Self, DialectError> {
        let entries: Entries<'a> = serde_json::from_slice(body).map_err(|error| {
            DialectError::body(format!("the body is not a JSON object: {error}"))
                .with_code("invalid_json")
        })?;
        if is_too_deep(body) {
            let problem = format!("the body is nested deeper than {DEPTH} levels");
            return Err(DialectError::body(problem).with_code("invalid_json"));
        }
        Ok(Self {
            entries: entries.0,
            place: &Place::Body,
        })
    }

    /// Takes a member out; `null` counts as absent, and the last of two with one name counts.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Node<'a, 'p>> {
        let at = self.entries.iter().rposition(|(name, _)| name.0 == key)?;
        let (_, raw) = self.entries.remove(at);
        self.entries.retain(|(name, _)| name.0 != key);
        (raw.get() != "null").then_some(Node {
            raw,
            place: Place::Member(self.place, key),
        })
    }

    /// Takes a member out that must be there.
    pub(super) fn require(&mut self, key: &'static str) -> Result<Node<'a, 'p>, DialectError> {
        self.take(key).ok_or_else(|| {
            Place::Member(self.place, key)
                .fault("field required")
                .with_code("missing_required_parameter")
        })
    }

    /// Takes the member `type`, which tells what the object is.
    pub(super) fn tag(&mut self) -> Result<Cow<'a, str>, DialectError> {
        self.require("type")?.string()
    }

    /// What nobody took. Members that are `null` say nothing and are left out.
    pub(super) fn rest(self) -> Fields {
        let mut fields = Fields::new();
        for (name, raw) in self.entries {
            if raw.get() != "null" {
                fields.push_raw(name.0.into_owned(), raw.to_owned());
            }
        }
        fields
    }
}

/// A string that borrows where it holds no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrowing)
    }
}

/// The members of an object, in their order.
struct Entries<'a>(Vec<(Text<'a>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Whether JSON goes deeper than [`DEPTH`]; looks at brackets outside strings only.
fn is_too_deep(json: &[u8]) -> bool {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(&byte) = json.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at = string_end(json, at),
            _ => {}
        }
        if depth > DEPTH {
            return true;
        }
    }
    false
}

/// One past the quote that ends the string whose contents begin at `at`.
fn string_end(json: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr::memchr2(b'"', b'\\', json.get(at..).unwrap_or_default()) {
        at += found + 1;
        if json[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    json.len()
}
