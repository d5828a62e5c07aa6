//! `--list`: what there is to choose from.

use gateway_sim::{
    experiment::{
        Scenario,
        presets::{self, Set},
    },
    model::ChipProfile,
    workload::generate::Kind,
};

use serde::Serialize;

use super::policies;
use crate::cli::out;

/// The list for programs.
#[derive(Serialize)]
pub(super) struct Listing {
    presets: Vec<Listed>,
    policies: Vec<Named>,
    workloads: Vec<&'static str>,
    profiles: Vec<&'static str>,
}

/// A preset: its set, and all of it as a scenario file holds it.
#[derive(Serialize)]
struct Listed {
    set: &'static str,
    scenario: Scenario,
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
    about: &'static str,
}

impl Listing {
    pub(super) fn of_everything() -> Self {
        let listed = |preset: presets::Preset| Listed {
            set: match preset.set {
                Set::Tuning => "tuning",
                Set::Reported => "reported",
            },
            scenario: preset.scenario,
        };
        let named = |(name, about)| Named { name, about };
        Self {
            presets: presets::all().into_iter().map(listed).collect(),
            policies: policies::known().into_iter().map(named).collect(),
            workloads: Kind::NAMES.to_vec(),
            profiles: ChipProfile::names().collect(),
        }
    }
}

pub(super) fn print() {
    for (set, title) in [
        (Set::Tuning, "presets for tuning policies:"),
        (Set::Reported, "presets for reporting results:"),
    ] {
        out::line(format_args!("{title}"));
        for preset in presets::all().iter().filter(|preset| preset.set == set) {
            let scenario = &preset.scenario;
            out::line(format_args!("  {:<20}{}", scenario.name, scenario.about));
        }
    }
    out::line(format_args!("policies:"));
    for (name, about) in policies::known() {
        out::line(format_args!("  {name:<20}{about}"));
    }
    let profiles: Vec<_> = ChipProfile::names().collect();
    out::line(format_args!("workloads:\n  {}", Kind::NAMES.join(", ")));
    out::line(format_args!("chip profiles:\n  {}", profiles.join(", ")));
}
