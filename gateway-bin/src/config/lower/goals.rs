//! Objectives and priorities, for all models and for single ones.

use gateway_core::Objectives;
use gateway_router::{Goal, Goals};

use super::cx::Cx;
use crate::config::{
    ConfigError,
    file::{ConfigFile, ObjectivesFile},
    yaml::Path,
};

/// The least and the greatest priority.
pub(crate) const PRIORITIES: std::ops::RangeInclusive<i8> = -100..=100;

pub(super) fn lower(file: &ConfigFile, cx: &Cx<'_>) -> Result<Goals, ConfigError> {
    let general = goal(file.objectives, file.priority, &Path::default(), cx)?;
    let mut goals = Goals {
        general,
        ..Goals::default()
    };
    for (at, model) in file.models.iter().enumerate() {
        let path = Path::default().key("models").index(at);
        let goal = goal(model.objectives, model.priority, &path, cx)?;
        goals.models.insert(model.name.clone(), goal);
    }
    Ok(goals)
}

fn goal(
    objectives: ObjectivesFile,
    priority: Option<i8>,
    path: &Path,
    cx: &Cx<'_>,
) -> Result<Goal, ConfigError> {
    if priority.is_some_and(|priority| !PRIORITIES.contains(&priority)) {
        return Err(cx.invalid(&path.key("priority"), "must be from -100 to 100"));
    }
    Ok(Goal {
        objectives: Objectives::from(objectives),
        priority,
    })
}
