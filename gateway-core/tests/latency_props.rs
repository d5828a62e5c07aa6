//! What is booked on an endpoint, against plain counting: never less than nothing, nothing when idle, and every forecast
//! a number, whatever comes in whatever order.

use std::sync::Arc;

use gateway_core::{
    BlockHash, EndpointSpec, Fleet, Pipeline, Placement, Registry, Rng, RouteCx, Stage, Timestamp,
    latency::{ClassModel, Forecast, Hardware},
    load::{Booking, Demand, EndpointState, InFlight, TelemetryPolicy},
    pipeline::PipelineSpec,
};
use proptest::prelude::*;

/// What may happen to requests in flight. Numbers choose among those that are there.
#[derive(Clone, Debug)]
enum Op {
    Place {
        prompt: u32,
        cached: u32,
        stage: Stage,
        output: f32,
        silent: bool,
    },
    FirstToken {
        which: usize,
        cached: Option<u32>,
    },
    Finish {
        which: usize,
        output: Option<u32>,
    },
    Drop {
        which: usize,
    },
    /// Time passes, or jumps back.
    At {
        millis: u64,
    },
}

fn stage() -> impl Strategy<Value = Stage> {
    prop_oneof![
        Just(Stage::Unified),
        Just(Stage::Prefill),
        Just(Stage::Decode)
    ]
}

fn tokens() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0..20_000_u32, 1 => Just(u32::MAX), 1 => Just(0)]
}

fn op() -> impl Strategy<Value = Op> {
    let place = (tokens(), tokens(), stage(), 0.0..5_000_f32, any::<bool>()).prop_map(
        |(prompt, cached, stage, output, silent)| Op::Place {
            prompt,
            cached: cached.min(prompt),
            stage,
            output,
            silent,
        },
    );
    let which = || 0..64_usize;
    prop_oneof![
        5 => place,
        3 => (which(), prop::option::of(tokens())).prop_map(|(which, cached)| Op::FirstToken { which, cached }),
        2 => (which(), prop::option::of(tokens())).prop_map(|(which, output)| Op::Finish { which, output }),
        3 => which().prop_map(|which| Op::Drop { which }),
        3 => (0..200_000_u64).prop_map(|millis| Op::At { millis }),
    ]
}

fn hardware() -> impl Strategy<Value = Hardware> {
    (
        prop::option::of(1.0..2_000.0_f64),
        prop::option::of(1..2_000_000_u64),
        prop::option::of(1..64_u32),
    )
        .prop_map(|(tflops, kv_tokens, max_sequences)| Hardware {
            tflops,
            hbm_gbs: tflops.map(|rate| rate * 3.0),
            kv_tokens,
            max_sequences,
            nic_gbs: tflops,
            kv_bytes_per_token: Some(131_072.0),
            ..Hardware::default()
        })
}

/// What plain counting says.
#[derive(Clone, Copy)]
struct Counted {
    queued_tokens: u64,
    context_tokens: u64,
    is_waiting: bool,
}

fn assert_numbers(forecast: &Forecast) -> Result<(), TestCaseError> {
    for value in [
        forecast.wait_ms,
        forecast.prefill_ms,
        forecast.uncached_tokens,
        forecast.queued_tokens,
        forecast.queued_prompts,
        forecast.requests,
        forecast.context_tokens,
        forecast.step_ms,
        forecast.added_ms,
        forecast.ttft_ms,
        forecast.transfer_ms,
        forecast.occupancy,
        forecast.active_tokens,
        forecast.output_tokens,
        forecast.others_output_tokens,
        forecast.shared_tokens,
    ] {
        prop_assert!(value.is_finite() && value >= 0.0, "{forecast:?}");
    }
    Ok(())
}

fn demand(prompt: u32, cached: u32, stage: Stage, output: f32, silent: bool) -> Demand<'static> {
    Demand {
        stage,
        prompt_tokens: prompt,
        cached_tokens: cached,
        output_tokens: output,
        is_silent: silent,
        ..Demand::default()
    }
}

/// One endpoint, with the bookings on it and the count of them.
struct Rig {
    state: Arc<EndpointState>,
    held: Vec<(Booking, Counted)>,
    now: Timestamp,
}

impl Rig {
    fn new(hardware: Hardware) -> Self {
        let class = Arc::new(ClassModel::new(&hardware));
        Self {
            state: Arc::new(EndpointState::new(hardware, class)),
            held: Vec::new(),
            now: Timestamp::ZERO,
        }
    }

    fn at(&mut self, which: usize) -> Option<&mut (Booking, Counted)> {
        let count = self.held.len();
        (count > 0).then(|| &mut self.held[which % count])
    }

    fn play(&mut self, op: &Op) {
        let now = self.now;
        match *op {
            Op::Place {
                prompt,
                cached,
                stage,
                output,
                silent,
            } => {
                let demand = demand(prompt, cached, stage, output, silent);
                let uncached = if stage == Stage::Decode {
                    0
                } else {
                    prompt - cached
                };
                let counted = Counted {
                    queued_tokens: u64::from(uncached),
                    context_tokens: u64::from(prompt) + output as u64,
                    is_waiting: true,
                };
                self.held.push((self.state.book(&demand, now), counted));
            }
            Op::FirstToken { which, cached } => {
                if let Some((booking, counted)) = self.at(which) {
                    booking.first_token(cached, now);
                    counted.is_waiting = false;
                }
            }
            Op::Finish { which, output } => {
                if let Some((booking, _)) = self.at(which) {
                    booking.finished(output, now);
                }
            }
            Op::Drop { which } => {
                if !self.held.is_empty() {
                    drop(self.held.swap_remove(which % self.held.len()));
                }
            }
            Op::At { millis } => self.now = Timestamp::from_millis(millis),
        }
    }

    fn counted(&self) -> InFlight {
        let waiting = || {
            self.held
                .iter()
                .map(|(_, counted)| counted)
                .filter(|counted| counted.is_waiting)
        };
        InFlight {
            requests: self.held.len() as u32,
            prefilling: waiting().count() as u32,
            queued_tokens: waiting().map(|counted| counted.queued_tokens).sum(),
            context_tokens: self
                .held
                .iter()
                .map(|(_, counted)| counted.context_tokens)
                .sum(),
            active_tokens: self.state.in_flight().active_tokens,
        }
    }

    fn forecast(&self, demand: &Demand<'_>) -> Forecast {
        let load = self.state.load(&TelemetryPolicy::default(), self.now);
        self.state.forecast(demand, &load, self.now)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_is_what_is_held_and_forecasts_are_numbers(
        hardware in hardware(),
        ops in prop::collection::vec(op(), 1..150),
        probe in (tokens(), stage(), 0.0..1_000_f32),
    ) {
        let mut rig = Rig::new(hardware);
        let probe = demand(probe.0, 0, probe.1, probe.2, false);
        for op in &ops {
            rig.play(op);
            prop_assert_eq!(rig.state.in_flight(), rig.counted());
            assert_numbers(&rig.forecast(&probe))?;
        }
        rig.held.clear();
        prop_assert_eq!(rig.state.in_flight(), InFlight::default());
        let idle = rig.forecast(&probe);
        assert_numbers(&idle)?;
        let left = (idle.wait_ms, idle.queued_tokens, idle.queued_prompts, idle.requests, idle.context_tokens);
        prop_assert_eq!(left, (0.0, 0.0, 0.0, 0.0, 0.0));
    }
}

fn fleet() -> Fleet {
    Fleet::new((0..3).map(|n| EndpointSpec::new(format!("e{n}")).model("m"))).expect("valid")
}

fn latency() -> Pipeline {
    let spec = PipelineSpec::preset("latency").expect("a preset");
    Registry::builtin().build(&spec).expect("it builds")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn placements_through_a_pipeline_leave_nothing_behind(
        ops in prop::collection::vec((0..5_u8, 0..64_usize, 0..40_u64, 0..5_000_u64), 1..150)
    ) {
        let (fleet, pipeline) = (fleet(), latency());
        let mut rng = Rng::from_seed(5);
        let mut held: Vec<Placement> = Vec::new();
        for (kind, which, blocks, millis) in ops {
            let now = Timestamp::from_millis(millis);
            let at = which % held.len().max(1);
            match (kind, held.get_mut(at)) {
                (0 | 1, _) | (_, None) => {
                    let blocks: Vec<_> = (0..blocks).map(|at| BlockHash(which as u64 % 4 * 100 + at)).collect();
                    let cx = RouteCx::new("m", now).prompt(blocks.len() as u32 * 64 + 1, &blocks, 64);
                    held.push(pipeline.place(&fleet, &cx, &mut rng).expect("somebody"));
                    assert_numbers(held[held.len() - 1].forecast())?;
                }
                (2, Some(placement)) => placement.first_token(Some(blocks as u32), now),
                (3, Some(placement)) => placement.finished(Some(blocks as u32), now),
                (_, Some(_)) => drop(held.swap_remove(at)),
            }
            let in_flight = fleet.endpoints().iter().map(|one| one.state().in_flight().requests);
            prop_assert_eq!(in_flight.sum::<u32>() as usize, held.len());
        }
        held.clear();
        for endpoint in fleet.endpoints() {
            prop_assert_eq!(endpoint.state().in_flight(), InFlight::default());
        }
    }
}
