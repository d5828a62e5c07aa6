//! What is wrong with a configuration, and where.

use std::{fmt, path::PathBuf};

/// A place in a file; both numbers start at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    Unreadable(String),
    /// Not YAML.
    #[error("{0}")]
    Syntax(String),
    /// A key that means nothing.
    #[error("unknown key `{key}`; known: {}", known.join(", "))]
    UnknownKey {
        /// As written.
        key: String,
        /// All keys that may stand there.
        known: Vec<&'static str>,
    },
    /// A word that is none of the choices.
    #[error("unknown value `{value}`; known: {}", known.join(", "))]
    UnknownValue {
        /// As written.
        value: String,
        /// All choices.
        known: Vec<&'static str>,
    },
    /// A key that must be there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A value of another type or form.
    #[error("{0}")]
    Invalid(String),
    /// A variable without value and default.
    #[error("the environment variable `{0}` is not set; set it, or write `${{{0}:-default}}`")]
    UnsetVariable(String),
    /// `${` without `}`.
    #[error("`${{` without `}}`; write `$$` for a dollar sign")]
    OpenVariable,
}

/// Why a configuration was refused: `FILE:LINE:COLUMN: PATH: PROBLEM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// The place, where the problem has one.
    pub place: Option<Place>,
    /// The path of keys and numbers, such as `models[0].pipeline.filters[2]`; empty for the whole file.
    pub path: String,
    /// What is wrong.
    pub problem: Box<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for ConfigError {}
