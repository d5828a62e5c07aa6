//! What the command line asks for, as a scenario.

use anyhow::{Context as _, bail};
use gateway_sim::{
    experiment::{CapacityPlan, FleetPlan, Recorded, Scenario, Source, parse_chips, presets},
    workload::{Retime, generate::Kind, read::Format},
};

use super::file::{self, PolicyEntry};
use crate::cli::args::{SimulateArgs, TraceFormat};

/// The fleet where none is named.
const FLEET: &str = "4x8b-h100";

pub(super) fn scenario(args: &SimulateArgs) -> anyhow::Result<Scenario<PolicyEntry>> {
    let mut scenario = base(args)?;
    if let Some(line) = &args.fleet {
        scenario.fleet.engines = parse_chips(line).context("--fleet")?;
    }
    if let Some(rate) = args.rate {
        scenario.rate = rate;
    }
    if let Some(rate) = args.requests_per_second {
        scenario.traffic.rate = rate;
    }
    if let Some(requests) = args.requests {
        scenario.traffic.requests = requests;
        if let Source::Recorded(recorded) = &mut scenario.workload {
            recorded.retime.limit = Some(requests);
        }
    }
    if let Some(ttft_ms) = args.ttft {
        scenario.objectives.ttft_ms = ttft_ms;
        scenario.objectives.ttft_ms_per_1k = 0.0;
    }
    if let Some(tpot_ms) = args.tpot {
        scenario.objectives.tpot_ms = tpot_ms;
    }
    if let Some(seeds) = args.seeds {
        scenario.seeds = (1..=u64::from(seeds)).collect();
    }
    if !args.policy.is_empty() {
        let entry = |text: &String| PolicyEntry::from_argument(text);
        scenario.policies = args.policy.iter().map(entry).collect();
    }
    if args.capacity {
        scenario.capacity.get_or_insert_with(CapacityPlan::default);
    }
    Ok(scenario)
}

/// The scenario before single settings are replaced.
fn base(args: &SimulateArgs) -> anyhow::Result<Scenario<PolicyEntry>> {
    if let Some(file) = &args.scenario {
        return Ok(file::read(file)?);
    }
    if let Some(name) = &args.preset {
        let Some(preset) = presets::named(name) else {
            let all = presets::all();
            let known: Vec<_> = all.iter().map(|preset| &*preset.scenario.name).collect();
            bail!("unknown preset `{name}`; known: {}", known.join(", "));
        };
        return Ok(preset.with_policies(Vec::new()));
    }
    let (name, workload) = match (&args.trace, &args.workload) {
        (Some(file), _) => {
            let name = file.file_stem().unwrap_or(file.as_os_str());
            let recorded = Recorded {
                file: file.clone(),
                format: format(args.format),
                retime: Retime::default(),
            };
            (
                name.to_string_lossy().into_owned(),
                Source::Recorded(recorded),
            )
        }
        (None, Some(kind)) => (kind.clone(), Source::Generated(Kind::named(kind)?)),
        (None, None) => bail!(
            "name what to play: --preset, --scenario, --trace or --workload; `gateway simulate --list` shows what there is"
        ),
    };
    let fleet = FleetPlan::new(parse_chips(FLEET)?);
    Ok(Scenario::new(&name, fleet, workload))
}

fn format(format: TraceFormat) -> Format {
    match format {
        TraceFormat::Mooncake => Format::Mooncake,
        TraceFormat::Azure => Format::Azure,
        TraceFormat::Log => Format::Log,
    }
}
