//! A scorer of your own: written as a trait, registered by name, declared in configuration like a built-in one.
//!
//! `cargo run -p custom-scorer`
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::{collections::BTreeMap, error::Error};

use gateway_core::{
    Candidate, EndpointSpec, Fleet, PipelineSpec, Registry, Rng, RouteCx, Scorer, Timestamp,
    pipeline::ParamError,
};
use serde::Deserialize;

/// What the configuration may say. `deny_unknown_fields` makes a misspelt key an error that names the known ones.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PowerDrawParams {
    /// Watts that a chip draws at full load, by the value of the label `chip`.
    watts: BTreeMap<String, f32>,
    /// Requests at which a chip is at full load.
    full_at: u32,
}

/// Prefers endpoints that draw little power for the request: 1 at no draw, 0 at the thirstiest chip under full load.
struct PowerDraw {
    watts: BTreeMap<String, f32>,
    full_at: f32,
    thirstiest: f32,
}

impl PowerDraw {
    fn new(params: PowerDrawParams) -> Result<Self, ParamError> {
        let thirstiest = params.watts.values().copied().fold(0.0, f32::max);
        let sane = params
            .watts
            .values()
            .all(|watts| watts.is_finite() && *watts >= 0.0);
        if !sane || thirstiest <= 0.0 || params.full_at == 0 {
            return Err(ParamError::new(
                "`watts` must be positive numbers and `full_at` at least 1",
            ));
        }
        Ok(Self {
            watts: params.watts,
            full_at: params.full_at as f32,
            thirstiest,
        })
    }

    fn draw(&self, candidate: &Candidate<'_>) -> f32 {
        let chip = candidate
            .endpoint
            .label("chip")
            .and_then(|chip| self.watts.get(chip));
        let after_this = (candidate.load.requests as f32 + 1.0) / self.full_at;
        chip.unwrap_or(&self.thirstiest) * after_this.min(1.0)
    }
}

impl Scorer for PowerDraw {
    fn score(&self, _cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        for (candidate, score) in candidates.iter().zip(out) {
            *score = 1.0 - self.draw(candidate) / self.thirstiest;
        }
    }
}

/// In a service this comes out of its configuration file.
const DECLARED: &str = r#"{
    "filters": ["healthy", "serves-model"],
    "scorers": [
        {"name": "power-draw", "weight": 2, "watts": {"h100": 700, "l40s": 350}, "full_at": 16},
        {"name": "least-requests"}
    ]
}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut registry = Registry::builtin();
    registry.scorer("power-draw", PowerDraw::new);
    let pipeline = registry.build(&serde_json::from_str::<PipelineSpec>(DECLARED)?)?;

    let fleet = Fleet::new([
        EndpointSpec::new("big")
            .model("llama")
            .label("chip", "h100"),
        EndpointSpec::new("small")
            .model("llama")
            .label("chip", "l40s"),
    ])?;
    let mut rng = Rng::from_seed(1);
    let mut held = Vec::new();
    for request in 1..=6 {
        let cx = RouteCx::new("llama", Timestamp::from_millis(request))
            .prompt(800, &[], 0)
            .output(200);
        let placement = pipeline.place(&fleet, &cx, &mut rng)?;
        println!("request {request} goes to {}", placement.endpoint().name());
        held.push(placement); // keeps the load booked, as a running request would
    }

    let misspelt = DECLARED.replace("watts", "wats");
    let refusal = registry
        .build(&serde_json::from_str(&misspelt)?)
        .expect_err("no such parameter");
    println!("a misspelt parameter: {refusal}");
    Ok(())
}
