//! Turns a path into a place.

use std::{collections::BTreeMap, path::Path as FilePath};

use crate::config::{
    ConfigError, Problem, ServedModel,
    yaml::{Node, Path},
};

/// The file under reading.
pub(super) struct Cx<'a> {
    pub(super) file: &'a FilePath,
    pub(super) root: &'a Node,
    /// The models in force, which are kept where their files have not changed.
    pub(super) known: &'a BTreeMap<String, ServedModel>,
}

impl Cx<'_> {
    pub(super) fn error(&self, path: &Path, problem: Problem) -> ConfigError {
        ConfigError {
            file: self.file.to_owned(),
            place: Some(self.root.place_of(path)),
            path: path.to_string(),
            problem: Box::new(problem),
        }
    }

    pub(super) fn invalid(&self, path: &Path, reason: impl std::fmt::Display) -> ConfigError {
        self.error(path, Problem::Invalid(reason.to_string()))
    }
}
