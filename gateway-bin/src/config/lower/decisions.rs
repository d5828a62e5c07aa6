//! What of a file decides where requests go, without the rest of it.

use std::{collections::BTreeMap, path::Path as FilePath, sync::LazyLock};

use gateway_core::Pipelines;
use gateway_router::Goals;

use super::{cx::Cx, goals, models, pipelines, shaped};
use crate::config::{
    ConfigError, Environment,
    file::{self, ConfigFile},
    yaml::{Kind, Node},
};

/// The sections that decide.
const DECIDING: [&str; 4] = ["pipeline", "models", "objectives", "priority"];

/// Keys of all other sections.
static OTHERS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let schema = file::schema();
    let sections = schema.get("properties").and_then(|all| all.as_object());
    let names = sections.into_iter().flatten().map(|(name, _)| name.clone());
    names.filter(|name| !DECIDING.contains(&&**name)).collect()
});

/// The choice of endpoints as a file has it.
#[derive(Debug)]
pub struct Decisions {
    /// The pipelines of all models.
    pub pipelines: Pipelines,
    /// What requests are to achieve that do not say so themselves.
    pub goals: Goals,
}

/// Reads what decides from the text of a configuration; `file` is the name that errors carry.
///
/// Listeners, keys and endpoints play no part: they may be missing, and variables in them unset. Keys that no section has
/// are still refused.
///
/// # Errors
/// With the place of the first thing that is wrong.
pub fn read_decisions(
    text: &str,
    file: &FilePath,
    environment: &Environment,
) -> Result<Decisions, ConfigError> {
    let mut root = super::parsed(text, file)?;
    if let Kind::Map(entries) = &mut root.kind {
        entries.retain(|entry| !OTHERS.contains(&entry.key));
    }
    super::expanded(&mut root, file, environment)?;
    lower(&shaped(&root, file)?, &root, file)
}

fn lower(shape: &ConfigFile, root: &Node, file: &FilePath) -> Result<Decisions, ConfigError> {
    let known = &BTreeMap::new();
    let cx = Cx { file, root, known };
    models::check_names(&shape.models, &cx)?;
    Ok(Decisions {
        pipelines: pipelines::lower(shape.pipeline.as_ref(), &shape.models, &cx)?,
        goals: goals::lower(shape, &cx)?,
    })
}
