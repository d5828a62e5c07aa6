//! Policies by name, from a configuration file, or written out.

use std::{collections::HashSet, fs, path::Path};

use anyhow::{Context as _, bail, ensure};
use gateway_core::{
    PipelineSpec, Pipelines, PluginSpec, Registry,
    decider::Decider,
    pipeline::{self, ModelPipelines, PipelinesSpec},
};
use gateway_sim::experiment::Policy;

use super::file::{PolicyEntry, Written};
use crate::config::{self, Environment};

/// The model that simulated engines serve.
const MODEL: &str = "simulated";
/// Policies whose parts are plug-ins of their own: name, scorer, picker, what it is.
const PLAIN: [(&str, Option<&str>, &str, &str); 3] = [
    ("random", None, "random", "any engine"),
    ("round-robin", None, "round-robin", "each engine in turn"),
    (
        "least-requests",
        Some("least-requests"),
        "best",
        "fewest requests in flight",
    ),
];

/// All names that [`resolve`] knows, with what they mean.
pub(in crate::cli) fn known() -> Vec<(&'static str, &'static str)> {
    let mut known = vec![(
        "default",
        "what the gateway does where nothing is configured",
    )];
    known.extend(PLAIN.map(|(name, _, _, about)| (name, about)));
    for preset in pipeline::presets() {
        if known.iter().all(|(name, _)| *name != preset.name) {
            known.push((preset.name, preset.summary));
        }
    }
    known
}

/// The pipelines of that name.
pub(in crate::cli) fn resolve(name: &str) -> Option<PipelinesSpec> {
    let whole = |unified| PipelinesSpec {
        unified: Some(unified),
        ..PipelinesSpec::default()
    };
    if name == "default" {
        return Some(whole(PipelineSpec::default()));
    }
    if let Some((_, scorer, picker, _)) = PLAIN.iter().find(|(plain, ..)| *plain == name) {
        return Some(whole(PipelineSpec {
            scorers: scorer.iter().map(|name| PluginSpec::new(*name)).collect(),
            picker: PluginSpec::new(*picker),
            ..PipelineSpec::default()
        }));
    }
    pipeline::preset(name)
}

/// All policies of a scenario; the built-in ones that say most where it names none.
pub(super) fn all(entries: Vec<PolicyEntry>) -> anyhow::Result<Vec<Policy>> {
    let entries = if entries.is_empty() {
        let named = |(name, _): (&str, _)| PolicyEntry::named(name);
        known().into_iter().map(named).collect()
    } else {
        entries
    };
    let mut names = HashSet::new();
    for entry in &entries {
        let fresh = names.insert(&*entry.name);
        ensure!(fresh, "policy `{}` is named twice", entry.name);
    }
    entries.iter().map(policy).collect()
}

fn policy(entry: &PolicyEntry) -> anyhow::Result<Policy> {
    match &entry.written {
        Written::Named => {
            let Some(spec) = resolve(&entry.name) else {
                let known: Vec<_> = known().iter().map(|(name, _)| *name).collect();
                bail!(
                    "unknown policy `{}`; known: {}, or the path of a configuration file",
                    entry.name,
                    known.join(", ")
                );
            };
            declared(&entry.name, spec)
        }
        Written::Pipeline(spec) => declared(&entry.name, (**spec).clone()),
        Written::Config(file) => configured(&entry.name, file),
    }
}

/// Plug-ins may count and learn, so each run builds its own.
fn declared(name: &str, spec: PipelinesSpec) -> anyhow::Result<Policy> {
    let build = move || ModelPipelines::build(&Registry::builtin(), &spec);
    build().map_err(|error| anyhow::anyhow!("policy `{name}`: {error}"))?;
    Ok(Policy::new(name, move |seed| {
        let pipelines = build().expect("built before from the same");
        Box::new(Decider::new(Pipelines::new(pipelines), MODEL, seed))
    }))
}

/// The pipelines of a configuration file of the gateway.
fn configured(name: &str, file: &Path) -> anyhow::Result<Policy> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let file = file.to_owned();
    let build = move || config::read(&text, &file, &Environment::Process);
    build()?;
    Ok(Policy::new(name, move |seed| {
        let config = build().expect("read before from the same text");
        Box::new(Decider::new(config.router.pipelines, MODEL, seed))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_can_be_built() {
        let all = all(Vec::new()).unwrap();
        assert_eq!(all.len(), known().len());
        assert!(all.len() >= 4);
    }

    #[test]
    fn a_policy_that_is_not_there_lists_those_that_are() {
        let error = all(vec![PolicyEntry::named("tea")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("unknown policy `tea`; known: default, random"),
            "{error}"
        );
        let twice = vec![PolicyEntry::named("random"), PolicyEntry::named("random")];
        assert!(all(twice).unwrap_err().to_string().contains("named twice"));
    }
}
