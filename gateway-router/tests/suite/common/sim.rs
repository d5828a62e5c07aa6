//! Simulated engines, fast enough for tests.

use gateway_router::Target;
use gateway_sim::{
    engine::{RunningEngine, SimConfig, SimEngine},
    model::ChipProfile,
};

/// An engine of the model `m` that runs a hundred times as fast as its chip.
pub(crate) async fn start() -> RunningEngine {
    start_with(|_| {}).await
}

pub(crate) async fn start_with(change: impl FnOnce(&mut SimConfig)) -> RunningEngine {
    let name = ChipProfile::names().next().expect("there are profiles");
    let chip = ChipProfile::named(name).expect("it is listed");
    let mut config = SimConfig::new("m", chip);
    config.time_scale = 100.0;
    change(&mut config);
    SimEngine::start(config).await.expect("a free port")
}

pub(crate) fn target(engine: &RunningEngine) -> Target {
    Target::parse(&engine.url()).expect("an address")
}
