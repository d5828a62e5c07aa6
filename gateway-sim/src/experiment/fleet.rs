//! The fleet of a scenario.

use gateway_core::decider::RoleName;
use serde::{Deserialize, Serialize};

use super::{ExperimentError, Plate};
use crate::{
    model::ChipProfile,
    replay::{FleetSpec, HostTier, ReplayEngine, SlowSpan},
};

/// The most engines of a fleet.
const ENGINES_AT_MOST: usize = 4_096;

/// A fleet, and what routers hear of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetPlan {
    /// Groups of equal engines.
    pub engines: Vec<ChipGroup>,
    /// Tokens of a block of the KV cache; recorded traces know no smaller ones than 512.
    #[serde(default = "defaults::block_tokens")]
    pub block_tokens: u32,
    /// Seconds between two samples of an engine's gauges; 0 sends none.
    #[serde(default = "defaults::telemetry_every_seconds")]
    pub telemetry_every_seconds: f64,
    /// Seconds from such a sample to its delivery.
    #[serde(default = "defaults::delay_seconds")]
    pub telemetry_delay_seconds: f64,
    /// Whether engines tell what they cache.
    #[serde(default = "defaults::yes")]
    pub kv_events: bool,
    /// Seconds from a change of a cache to the delivery of the event.
    #[serde(default = "defaults::delay_seconds")]
    pub kv_delay_seconds: f64,
    /// Whether routers know what data sheets say of the chips.
    #[serde(default = "defaults::yes")]
    pub nameplates: bool,
}

/// Engines that are alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipGroup {
    /// The chip profile, such as `8b-h100`.
    pub profile: String,
    /// How many.
    #[serde(default = "defaults::one")]
    pub count: usize,
    /// `both`, `prefill` or `decode`.
    #[serde(default)]
    pub role: RoleName,
    /// Tokens of KV cache in host memory; none where 0.
    #[serde(default)]
    pub host_tokens: u32,
    /// The link between host memory and device, in 10^9 bytes a second.
    #[serde(default = "defaults::host_gbs")]
    pub host_gbs: f64,
    /// Tokens of KV cache on the device, where it is not the profile's.
    #[serde(default)]
    pub kv_tokens: Option<u32>,
    /// Sequences that may run at once.
    #[serde(default = "defaults::max_sequences")]
    pub max_sequences: u32,
    /// The network link, in 10^9 bytes a second, where it is not the chip's.
    #[serde(default)]
    pub nic_gbs: Option<f64>,
    /// Times in which the group is slower than its chip; no router is told.
    #[serde(default)]
    pub slow: Vec<Slow>,
}

/// A time in which engines are slow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slow {
    /// How many times as long each step takes.
    pub factor: f64,
    /// Its beginning, in seconds.
    #[serde(default)]
    pub from_seconds: f64,
    /// Its end, in seconds; never where unset.
    #[serde(default)]
    pub to_seconds: Option<f64>,
}

/// Values of what is left out.
mod defaults {
    pub(super) fn block_tokens() -> u32 {
        512
    }
    pub(super) fn telemetry_every_seconds() -> f64 {
        1.0
    }
    pub(super) fn delay_seconds() -> f64 {
        0.05
    }
    pub(super) fn host_gbs() -> f64 {
        40.0
    }
    pub(super) fn max_sequences() -> u32 {
        256
    }
    pub(super) fn one() -> usize {
        1
    }
    pub(super) fn yes() -> bool {
        true
    }
}

impl ChipGroup {
    /// So many engines of a profile, with default settings.
    #[must_use]
    pub fn new(count: usize, profile: &str) -> Self {
        Self {
            profile: profile.to_owned(),
            count,
            role: RoleName::Both,
            host_tokens: 0,
            host_gbs: defaults::host_gbs(),
            kv_tokens: None,
            max_sequences: defaults::max_sequences(),
            nic_gbs: None,
            slow: Vec::new(),
        }
    }

    fn engine(&self, block_tokens: u32) -> Result<ReplayEngine, ExperimentError> {
        let unknown = || ExperimentError::UnknownProfile(self.profile.clone());
        let chip = ChipProfile::named(&self.profile).ok_or_else(unknown)?;
        let plate = Plate::named(&self.profile).ok_or_else(unknown)?;
        let slow = |slow: &Slow| SlowSpan {
            from_seconds: slow.from_seconds,
            to_seconds: slow.to_seconds.unwrap_or(f64::INFINITY),
            factor: slow.factor,
        };
        Ok(ReplayEngine {
            class: self.profile.clone(),
            role: self.role,
            kv_blocks: self.kv_tokens.unwrap_or(chip.kv_tokens) / block_tokens,
            host: (self.host_tokens >= block_tokens).then_some(HostTier {
                blocks: self.host_tokens / block_tokens,
                gbs: self.host_gbs,
            }),
            max_sequences: self.max_sequences,
            batch_tokens: chip.batch_tokens,
            kv_bytes_per_token: plate.kv_bytes_per_token,
            nic_gbs: self.nic_gbs.unwrap_or(plate.nic_gbs),
            tflops: plate.tflops,
            hbm_gbs: plate.hbm_gbs,
            slow: self.slow.iter().map(slow).collect(),
            chip,
        })
    }
}

impl FleetPlan {
    /// A fleet of these groups, with default settings.
    #[must_use]
    pub fn new(engines: Vec<ChipGroup>) -> Self {
        Self {
            engines,
            block_tokens: defaults::block_tokens(),
            telemetry_every_seconds: defaults::telemetry_every_seconds(),
            telemetry_delay_seconds: defaults::delay_seconds(),
            kv_events: true,
            kv_delay_seconds: defaults::delay_seconds(),
            nameplates: true,
        }
    }

    /// The fleet as a replay takes it.
    ///
    /// # Errors
    /// Where a profile is unknown, or the fleet could serve nothing.
    pub fn spec(&self) -> Result<FleetSpec, ExperimentError> {
        if self.block_tokens == 0 {
            return Err(ExperimentError::Fleet("has blocks of no tokens"));
        }
        let mut engines = Vec::new();
        for group in &self.engines {
            if group.count > ENGINES_AT_MOST - engines.len() {
                return Err(ExperimentError::TooManyEngines(ENGINES_AT_MOST));
            }
            let engine = group.engine(self.block_tokens)?;
            engines.extend(std::iter::repeat_n(engine, group.count));
        }
        serves(&engines)?;
        Ok(FleetSpec {
            block_tokens: self.block_tokens,
            engines,
            telemetry_every_seconds: self.telemetry_every_seconds,
            telemetry_delay_seconds: self.telemetry_delay_seconds,
            kv_delay_seconds: if self.kv_events {
                self.kv_delay_seconds
            } else {
                f64::INFINITY
            },
            nameplates: self.nameplates,
        })
    }
}

/// Whether there is somebody for each part of the work.
fn serves(engines: &[ReplayEngine]) -> Result<(), ExperimentError> {
    let has = |role| engines.iter().any(|engine| engine.role == role);
    if engines.is_empty() {
        return Err(ExperimentError::Fleet("has no engine"));
    }
    if has(RoleName::Both) {
        return Ok(());
    }
    match (has(RoleName::Prefill), has(RoleName::Decode)) {
        (true, true) => Ok(()),
        (true, false) => Err(ExperimentError::Fleet(
            "has engines for prefill, and none for decode",
        )),
        _ => Err(ExperimentError::Fleet(
            "has engines for decode, and none for prefill",
        )),
    }
}
