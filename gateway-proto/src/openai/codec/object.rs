//! Objects read member by member, with the path for errors.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::CodecError;
use crate::elements::{self, Stopped};
use crate::ir::Fields;

/// An object being taken apart.
pub(in crate::openai) struct Object {
    pub(in crate::openai) fields: Fields,
    path: String,
}

impl Object {
    /// The body of a message.
    pub(in crate::openai) fn from_body(body: &[u8]) -> Result<Self, CodecError> {
        Ok(Self {
            fields: serde_json::from_slice(body)?,
            path: String::new(),
        })
    }

    /// The full path of a member.
    pub(in crate::openai) fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Takes a member; absent and `null` are the same.
    pub(in crate::openai) fn take<T: DeserializeOwned>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>, CodecError> {
        let taken = self.fields.take(key);
        taken.map_err(|source| CodecError::Field {
            path: self.path(key),
            source,
        })
    }

    /// Takes a member that has a natural default.
    pub(in crate::openai) fn take_or_default<T: DeserializeOwned + Default>(
        &mut self,
        key: &str,
    ) -> Result<T, CodecError> {
        Ok(self.take(key)?.unwrap_or_default())
    }

    /// Takes a member that must be there.
    pub(in crate::openai) fn require<T: DeserializeOwned>(
        &mut self,
        key: &str,
    ) -> Result<T, CodecError> {
        self.take(key)?.ok_or_else(|| CodecError::Missing {
            path: self.path(key),
        })
    }

    /// Takes a member that is an object.
    pub(in crate::openai) fn take_object(&mut self, key: &str) -> Result<Option<Self>, CodecError> {
        let path = self.path(key);
        Ok(self.take(key)?.map(|fields| Self { fields, path }))
    }

    /// Takes a member that must be there and be an object.
    pub(in crate::openai) fn require_object(&mut self, key: &str) -> Result<Self, CodecError> {
        let path = self.path(key);
        Ok(Self {
            fields: self.require(key)?,
            path,
        })
    }

    /// Puts the rest of `inner`, which was taken from `key`, back; nothing where nothing is left.
    pub(in crate::openai) fn put_back(
        &mut self,
        key: &str,
        inner: &Self,
    ) -> Result<(), CodecError> {
        if !inner.fields.is_empty() {
            self.fields.put(key, &inner.fields)?;
        }
        Ok(())
    }

    /// Takes a member that is an array of objects, each turned into something by `read`.
    pub(in crate::openai) fn take_objects<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(Self) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, CodecError> {
        let path = self.path(key);
        let Some(raw) = self.fields.take_raw(key).filter(|raw| raw.get() != "null") else {
            return Ok(Vec::new());
        };
        let mut done = Vec::new();
        let end = elements::each(&raw, |at, fields| {
            let path = format!("{path}[{at}]");
            done.push(read(Self { fields, path })?);
            Ok(())
        });
        match end {
            Ok(()) => Ok(done),
            Err(Stopped::Refused(refused)) => Err(refused),
            Err(Stopped::Json(source)) => Err(CodecError::Field { path, source }),
        }
    }
}

/// An object being put together; members come out in the order they are put in.
#[derive(Default)]
pub(in crate::openai) struct Builder {
    fields: Fields,
}

impl Builder {
    /// Adds a member. The values are plain data, which always serialises.
    pub(in crate::openai) fn put<T: Serialize + ?Sized>(mut self, key: &str, value: &T) -> Self {
        self.fields.put(key, value).expect("plain data serialises");
        self
    }

    /// Adds a member where there is a value.
    pub(in crate::openai) fn put_some<T: Serialize>(self, key: &str, value: Option<&T>) -> Self {
        match value {
            Some(value) => self.put(key, value),
            None => self,
        }
    }

    /// Adds an array where it has elements.
    pub(in crate::openai) fn put_list<T: Serialize>(self, key: &str, list: &[T]) -> Self {
        if list.is_empty() {
            self
        } else {
            self.put(key, list)
        }
    }

    /// Adds a flag where it is set.
    pub(in crate::openai) fn put_flag(self, key: &str, flag: bool) -> Self {
        if flag { self.put(key, &true) } else { self }
    }

    /// Adds an object together with the members that `extra` has under the same key.
    pub(in crate::openai) fn put_merged(self, key: &str, known: Self, extra: &Fields) -> Self {
        let other = extra.raw(key).map(serde_json::from_str::<Fields>);
        let other = other.and_then(Result::ok).unwrap_or_default();
        self.put(key, &known.extra(&other))
    }

    /// Adds what was not interpreted, and ends.
    pub(in crate::openai) fn extra(mut self, extra: &Fields) -> Fields {
        self.fields.append(extra);
        self.fields
    }
}

/// The JSON text of an object.
pub(in crate::openai) fn to_vec(fields: &Fields) -> Vec<u8> {
    serde_json::to_vec(fields).expect("raw JSON serialises")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(body: &str) -> Result<Vec<u32>, CodecError> {
        let mut object = Object::from_body(body.as_bytes()).expect("an object");
        object.take_objects("list", |mut element| element.require("n"))
    }

    #[test]
    fn objects_are_read_one_by_one_up_to_the_first_that_is_wrong() {
        assert_eq!(
            numbers(r#"{"list":[{"n":1},{"n":2}]}"#).expect("good"),
            [1, 2]
        );
        for nothing in ["{}", r#"{"list":null}"#, r#"{"list":[]}"#] {
            assert!(numbers(nothing).expect("nothing").is_empty());
        }
        for (body, path) in [
            (r#"{"list":[{"n":1},{},7]}"#, "list[1].n"),
            (r#"{"list":[{"n":1},7]}"#, "list"),
            (r#"{"list":{"n":1}}"#, "list"),
        ] {
            let error = numbers(body).expect_err("wrong");
            assert_eq!(error.path(), Some(path), "{body}");
        }
    }
}
