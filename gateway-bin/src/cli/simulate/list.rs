//! `--list`: what there is to choose from.

use gateway_sim::{
    experiment::presets::{self, Set},
    model::ChipProfile,
    workload::generate::Kind,
};

use super::policies;
use crate::cli::out;

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
