//! Runs `gateway simulate`.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    MAIN,
    figures::{Comparison, Listing, Preset},
    sheet::Sheet,
};
use crate::cmd;

/// Telemetry that comes later than this is late.
const LATE_SECONDS: f64 = 1.0;
/// The delay of telemetry that is not late.
const IN_TIME_SECONDS: f64 = 0.05;

/// Plays all presets, one after the other; each uses all cores.
pub(super) fn everything(binary: &Path) -> Result<Vec<Sheet>> {
    let folder = tempfile::tempdir().context("a folder for results")?;
    let simulator = Simulator {
        binary,
        folder: folder.path(),
    };
    let listing: Listing = simulator.json(&["--list"])?;
    // `default` is another name of the first.
    let names = listing.policies.iter().map(|policy| &*policy.name);
    let others: Vec<_> = names
        .filter(|name| *name != "default" && !MAIN.contains(name))
        .collect();
    let count = listing.presets.len();
    let mut sheets = Vec::with_capacity(count);
    for (at, preset) in listing.presets.iter().enumerate() {
        let sheet = simulator.sheet(preset, &others)?;
        println!("{} of {count}: {}", at + 1, sheet.comparison.scenario);
        sheets.push(sheet);
    }
    Ok(sheets)
}

struct Simulator<'a> {
    binary: &'a Path,
    folder: &'a Path,
}

impl Simulator<'_> {
    fn sheet(&self, preset: &Preset, others: &[&str]) -> Result<Sheet> {
        let mut comparison = self.play(&preset.scenario, &MAIN, true)?;
        let rest = self.play(&preset.scenario, others, false)?;
        comparison.policies.extend(rest.policies);
        let in_time = match in_time(&preset.scenario) {
            Some(scenario) => Some(self.play(&scenario, &MAIN, false)?),
            None => None,
        };
        Ok(Sheet {
            set: preset.set,
            comparison,
            in_time,
            is_mixed: is_mixed(&preset.scenario),
            has_slow_node: has_slow_node(&preset.scenario),
        })
    }

    fn play(&self, scenario: &Value, policies: &[&str], capacity: bool) -> Result<Comparison> {
        let file = self.folder.join("scenario.json");
        fs::write(&file, scenario.to_string()).context("writing a scenario")?;
        let mut arguments = vec!["--scenario", "scenario.json"];
        for policy in policies {
            arguments.extend(["--policy", policy]);
        }
        if capacity {
            arguments.push("--capacity");
        }
        self.json(&arguments)
    }

    fn json<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<T> {
        let file: PathBuf = self.folder.join("result.json");
        let mut command = Command::new(self.binary);
        command.current_dir(self.folder).arg("simulate");
        cmd::capture(command.args(arguments).arg("--json").arg(&file))?;
        let text = fs::read_to_string(&file).context("reading a result")?;
        serde_json::from_str(&text).with_context(|| format!("the result of {arguments:?}"))
    }
}

/// The same scenario with gauges that come in time; `None` where they do anyway.
fn in_time(scenario: &Value) -> Option<Value> {
    let delay = scenario["fleet"]["telemetry_delay_seconds"].as_f64()?;
    (delay > LATE_SECONDS).then(|| {
        let mut scenario = scenario.clone();
        scenario["fleet"]["telemetry_delay_seconds"] = json!(IN_TIME_SECONDS);
        scenario
    })
}

fn groups(scenario: &Value) -> &[Value] {
    scenario["fleet"]["engines"]
        .as_array()
        .map_or(&[], Vec::as_slice)
}

fn is_mixed(scenario: &Value) -> bool {
    let mut kinds: HashMap<&str, &str> = HashMap::new();
    groups(scenario).iter().any(|group| {
        let role = group["role"].as_str().unwrap_or("both");
        let profile = group["profile"].as_str().unwrap_or("");
        *kinds.entry(role).or_insert(profile) != profile
    })
}

fn has_slow_node(scenario: &Value) -> bool {
    let is_slow = |group: &Value| group["slow"].as_array().is_some_and(|all| !all.is_empty());
    groups(scenario).iter().any(is_slow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_engines(engines: &Value) -> Value {
        json!({ "fleet": { "engines": engines, "telemetry_delay_seconds": 5.0 } })
    }

    #[test]
    fn chips_are_mixed_where_a_role_has_two_kinds() {
        let split = json!([
            { "profile": "a", "role": "prefill" },
            { "profile": "b", "role": "decode" },
            { "profile": "a", "role": "prefill", "slow": [{ "factor": 2 }] },
        ]);
        let split = with_engines(&split);
        assert!(!is_mixed(&split) && has_slow_node(&split));
        let mixed = with_engines(&json!([{ "profile": "a" }, { "profile": "b", "slow": [] }]));
        assert!(is_mixed(&mixed) && !has_slow_node(&mixed));
    }

    #[test]
    fn late_gauges_are_compared_with_gauges_in_time() {
        let late = with_engines(&json!([]));
        let again = in_time(&late).expect("late");
        assert_eq!(again["fleet"]["telemetry_delay_seconds"], 0.05);
        assert_eq!(in_time(&again), None);
    }
}
