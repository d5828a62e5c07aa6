//! The tree.

use super::{Path, Step};
use crate::config::{Environment, Place, Problem};

/// A value and where it stands.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
}

/// What a value is.
#[derive(Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_place: Place,
    pub(crate) value: Node,
}

impl Node {
    /// A map with this as its only value.
    pub(crate) fn under(self, key: &str) -> Self {
        let place = self.place;
        let entry = Entry {
            key: key.to_owned(),
            key_place: place,
            value: self,
        };
        Self {
            kind: Kind::Map(vec![entry]),
            place,
        }
    }

    /// The place that `path` names, or of the nearest thing above it that exists.
    pub(crate) fn place_of(&self, path: &Path) -> Place {
        let mut node = self;
        for step in path.steps() {
            let next = match (step, &node.kind) {
                (Step::Index(at), Kind::List(items)) => items.get(*at),
                (Step::Key(key), Kind::Map(entries)) => {
                    entries.iter().find(|e| e.key == *key).map(|e| &e.value)
                }
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node.place
    }

    /// Replaces variables in every text value; keys stay as they are.
    pub(crate) fn expand(
        &mut self,
        environment: &Environment,
        path: &mut Path,
    ) -> Result<(), (Place, Problem)> {
        match &mut self.kind {
            Kind::Text(text) => {
                if let Some(expanded) = environment
                    .expand(text)
                    .map_err(|problem| (self.place, problem))?
                {
                    *text = expanded;
                }
            }
            Kind::List(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    path.push(Step::Index(at));
                    item.expand(environment, path)?;
                    path.pop();
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    path.push(Step::Key(entry.key.clone()));
                    entry.value.expand(environment, path)?;
                    path.pop();
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Signed(_) | Kind::Unsigned(_) | Kind::Float(_) => {}
        }
        Ok(())
    }
}
