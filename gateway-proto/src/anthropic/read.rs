//! A body taken apart: members as slices of it, paths only where something is wrong.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::document::Document;
use crate::dialect::DialectError;
use crate::ir::Fields;
use crate::openai::JsonKind;

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
    document: &'a Document<'a>,
    at: u32,
    pub(super) place: Place<'p>,
}

impl<'a> Node<'a, 'static> {
    /// The body itself.
    pub(super) fn body(document: &'a Document<'a>) -> Self {
        Self {
            document,
            at: 0,
            place: Place::Body,
        }
    }
}

impl<'a> Node<'a, '_> {
    /// Its JSON.
    pub(super) fn raw(&self) -> &'a str {
        self.document.raw(self.at)
    }

    /// Its JSON, to be kept.
    pub(super) fn to_raw(self) -> Box<RawValue> {
        to_raw(self.raw())
    }

    pub(super) fn kind(&self) -> JsonKind {
        match self.raw().as_bytes().first() {
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

    fn check(&self, want: JsonKind, what: &str) -> Result<(), DialectError> {
        if self.kind() == want {
            Ok(())
        } else {
            Err(self.expected(what))
        }
    }

    pub(super) fn string(&self) -> Result<Cow<'a, str>, DialectError> {
        self.check(JsonKind::String, "a string")?;
        decoded(self.raw())
            .ok_or_else(|| self.fault("not valid Unicode").with_code("invalid_value"))
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
        self.check(JsonKind::Bool, "a boolean")?;
        Ok(self.raw() == "true")
    }

    pub(super) fn at_least(&self, least: u64) -> Result<u64, DialectError> {
        let what = format!("an integer of at least {least}");
        self.number(&what, |number| *number >= least)
    }

    pub(super) fn within(&self, range: RangeInclusive<f64>) -> Result<f64, DialectError> {
        let what = format!("a number from {} to {}", range.start(), range.end());
        self.number(&what, |number| range.contains(number))
    }

    fn number<T: DeserializeOwned>(
        &self,
        what: &str,
        fits: impl Fn(&T) -> bool,
    ) -> Result<T, DialectError> {
        self.check(JsonKind::Number, what)?;
        let number = serde_json::from_str(self.raw()).ok().filter(fits);
        number.ok_or_else(|| {
            self.fault(format!("expected {what}"))
                .with_code("invalid_value")
        })
    }

    pub(super) fn object(&self) -> Result<Object<'a, '_>, DialectError> {
        self.check(JsonKind::Object, "an object")?;
        let (mut entries, mut within) = (Vec::new(), self.document.within(self.at));
        while let (Some(key), Some(value)) = (within.next(), within.next()) {
            let name = decoded(self.document.raw(key)).ok_or_else(|| {
                self.fault("the name of a member is not valid Unicode")
                    .with_code("invalid_value")
            })?;
            entries.push((name, value));
        }
        Ok(Object {
            document: self.document,
            entries,
            place: &self.place,
        })
    }

    /// The elements of an array, one at a time: a body of many small ones would grow to many times its length.
    pub(super) fn elements(&self) -> Result<impl Iterator<Item = Node<'a, '_>>, DialectError> {
        self.check(JsonKind::Array, "an array")?;
        let element = |(index, at)| Node {
            document: self.document,
            at,
            place: Place::Element(&self.place, index),
        };
        let within = self.document.within(self.at);
        Ok(within.enumerate().map(element))
    }
}

/// An object being taken apart.
pub(super) struct Object<'a, 'p> {
    document: &'a Document<'a>,
    entries: Vec<(Cow<'a, str>, u32)>,
    place: &'p Place<'p>,
}

impl<'a, 'p> Object<'a, 'p> {
    /// Takes a member out; `null` counts as absent, and the last of two with one name counts.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Node<'a, 'p>> {
        let found = self.entries.iter().rposition(|(name, _)| name == key)?;
        let (_, at) = self.entries.remove(found);
        self.entries.retain(|(name, _)| name != key);
        (self.document.raw(at) != "null").then_some(Node {
            document: self.document,
            at,
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
        for (name, at) in self.entries {
            let raw = self.document.raw(at);
            if raw != "null" {
                fields.push_raw(name.into_owned(), to_raw(raw));
            }
        }
        fields
    }
}

fn to_raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("a value of valid JSON")
}

/// The text of a JSON string, borrowed where it holds no escapes; `None` for a lone surrogate.
fn decoded(quoted: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr(b'\\', quoted.as_bytes()).is_some() {
        return serde_json::from_str(quoted).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(&quoted[1..quoted.len() - 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_one_at_a_time_with_their_places() {
        let body = format!(r#"{{"list":[{}[1]]}}"#, "0,".repeat(10_000));
        let document = Document::parse(body.as_bytes()).expect("a good body");
        let top = Node::body(&document);
        let mut object = top.object().expect("an object");
        let list = object.require("list").expect("it is there");
        let mut elements = list.elements().expect("an array");
        assert!(size_of_val(&elements) < 256, "no list of nodes is kept");
        let last = elements.by_ref().last().expect("many elements");
        assert_eq!(
            (last.raw(), last.place.to_string()),
            ("[1]", "list.10000".to_owned())
        );
        let inner = last.elements().expect("an array").next().expect("one");
        assert_eq!(inner.place.to_string(), "list.10000.0");
        assert!(inner.elements().is_err());
    }
}
