//! Dictionaries.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};
use minijinja::{Error, ErrorKind, State};

use super::{List, repr};

/// From this size on, members are found by hash.
const INDEXED: usize = 16;

/// The methods of Python's `dict` that hide members of the same name from `value.name`.
const METHODS: [&str; 10] = [
    "items",
    "keys",
    "values",
    "get",
    "pop",
    "copy",
    "update",
    "clear",
    "setdefault",
    "popitem",
];

/// The name of a member.
pub(in super::super) type Key = Cow<'static, str>;

/// Members in their order, each name once.
#[derive(Clone, Default)]
pub(in super::super) struct Dict {
    entries: Vec<(Key, Value)>,
    places: HashMap<Key, usize>,
}

impl Dict {
    /// Without members, with room for `size`.
    pub(in super::super) fn with_capacity(size: usize) -> Self {
        Self {
            entries: Vec::with_capacity(size),
            places: HashMap::new(),
        }
    }

    /// Sets a member; one of the same name keeps its place.
    pub(in super::super) fn set(&mut self, key: impl Into<Key>, value: Value) {
        let key = key.into();
        match self.place(&key) {
            Some(at) => self.entries[at].1 = value,
            None => self.add(key, value),
        }
    }

    fn add(&mut self, key: Key, value: Value) {
        let at = self.entries.len();
        if at + 1 == INDEXED {
            let known = self.entries.iter().enumerate();
            self.places = known.map(|(at, (key, _))| (key.clone(), at)).collect();
        }
        if at + 1 >= INDEXED {
            self.places.insert(key.clone(), at);
        }
        self.entries.push((key, value));
    }

    fn place(&self, key: &str) -> Option<usize> {
        if self.entries.len() >= INDEXED {
            return self.places.get(key).copied();
        }
        self.entries.iter().position(|(name, _)| name == key)
    }

    /// A member.
    pub(in super::super) fn member(&self, key: &str) -> Option<&Value> {
        self.place(key).map(|at| &self.entries[at].1)
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        repr::write_pairs(
            f,
            self.entries
                .iter()
                .map(|(key, value)| (key_value(key), value.clone())),
        )
    }
}

fn key_value(key: &Key) -> Value {
    Value::from(&**key)
}

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.member(key.as_str()?).cloned()
    }

    /// `value.name`: a method hides the member, as in Python.
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match METHODS.iter().find(|name| **name == key) {
            Some(name) => Some(Value::from_object(Bound {
                dict: Value::from_dyn_object(self.clone()),
                name,
            })),
            None => self.member(key).cloned(),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let this = self.clone();
        let size = self.entries.len();
        Enumerator::KeyValueIter(Box::new((0..size).map(move |at| {
            let (key, value) = &this.entries[at];
            (key_value(key), value.clone())
        })))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.entries.len())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match (method, args) {
            ("items", []) => {
                let pair = |(key, value): &(Key, Value)| pair(key_value(key), value.clone());
                Ok(List::value(self.entries.iter().map(pair).collect()))
            }
            ("keys", []) => Ok(List::value(
                self.entries.iter().map(|(key, _)| key_value(key)).collect(),
            )),
            ("values", []) => Ok(List::value(
                self.entries
                    .iter()
                    .map(|(_, value)| value.clone())
                    .collect(),
            )),
            ("copy", []) => Ok(Value::from_object(Self::clone(self))),
            // `get` and what is not there: the methods of all mappings.
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

fn pair(key: Value, value: Value) -> Value {
    Value::from(minijinja::value::Tuple::from([key, value]))
}

/// A method that was named and not called.
#[derive(Debug)]
struct Bound {
    dict: Value,
    name: &'static str,
}

impl Object for Bound {
    fn repr(self: &Arc<Self>) -> minijinja::value::ObjectRepr {
        minijinja::value::ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        self.dict.call_method(state, self.name, args)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<built-in method {} of dict object>", self.name)
    }
}
