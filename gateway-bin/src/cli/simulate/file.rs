//! Scenario files.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use gateway_core::pipeline::PipelinesSpec;
use gateway_sim::experiment::{Scenario, Source};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use crate::config::{ConfigError, Problem, yaml};

/// A policy as a scenario file writes it: a name alone, or a map of `name` with `pipeline` or `config`.
#[derive(Clone, Debug)]
pub(super) struct PolicyEntry {
    /// The name it is shown under.
    pub(super) name: String,
    /// What it is.
    pub(super) written: Written,
}

/// What a policy is.
#[derive(Clone, Debug)]
pub(super) enum Written {
    /// A built-in one, by its name.
    Named,
    /// Pipelines.
    Pipeline(Box<PipelinesSpec>),
    /// A configuration file of the gateway; its pipelines count.
    Config(PathBuf),
}

impl PolicyEntry {
    pub(super) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            written: Written::Named,
        }
    }

    /// A name or, where there is such a file, a configuration of the gateway, shown under the file's name.
    pub(super) fn from_argument(text: &str) -> Self {
        let path = Path::new(text);
        let is_file = path.extension().is_some() || path.components().count() > 1;
        match path.file_stem().filter(|_| is_file) {
            Some(stem) => Self {
                name: stem.to_string_lossy().into_owned(),
                written: Written::Config(path.to_owned()),
            },
            None => Self::named(text),
        }
    }
}

impl<'de> Deserialize<'de> for PolicyEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = PolicyEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a policy's name, or a map of `name` with `pipeline` or `config`")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<PolicyEntry, E> {
        Ok(PolicyEntry::named(name))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PolicyEntry, A::Error> {
        const KEYS: &[&str] = &["name", "pipeline", "config"];
        let (mut name, mut pipeline, mut config) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "name" => name = Some(map.next_value()?),
                "pipeline" => pipeline = Some(map.next_value()?),
                "config" => config = Some(map.next_value()?),
                _ => return Err(de::Error::unknown_field(&key, KEYS)),
            }
        }
        let name = name.ok_or_else(|| de::Error::missing_field("name"))?;
        let written = match (pipeline, config) {
            (Some(pipeline), None) => Written::Pipeline(pipeline),
            (None, Some(config)) => Written::Config(config),
            (None, None) => Written::Named,
            (Some(_), Some(_)) => {
                return Err(de::Error::custom("write either `pipeline` or `config`"));
            }
        };
        Ok(PolicyEntry { name, written })
    }
}

/// Reads a scenario in YAML, of which JSON is a part. Files that it names are looked for beside it.
pub(super) fn read(file: &Path) -> Result<Scenario<PolicyEntry>, ConfigError> {
    let fail = |place, path: String, problem| ConfigError {
        file: file.to_owned(),
        place,
        path,
        problem: Box::new(problem),
    };
    let text = fs::read_to_string(file)
        .map_err(|error| fail(None, String::new(), Problem::Unreadable(error.to_string())))?;
    let root =
        yaml::parse(&text).map_err(|(place, problem)| fail(place, String::new(), problem))?;
    let mut scenario: Scenario<PolicyEntry> = yaml::read(&root)
        .map_err(|error| fail(error.place, error.path.to_string(), error.problem))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    if let Source::Recorded(recorded) = &mut scenario.workload {
        recorded.file = folder.join(&recorded.file);
    }
    for policy in &mut scenario.policies {
        if let Written::Config(config) = &mut policy.written {
            *config = folder.join(&*config);
        }
    }
    Ok(scenario)
}
