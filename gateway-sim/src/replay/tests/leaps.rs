//! Runs of steps in one go, against one step after the other.

use gateway_core::decider::RoleName;
use proptest::prelude::*;

use super::support::{Blind, Mix, Told, engine, fleet, random_trace};
use crate::replay::run::Run;
use crate::replay::{FleetSpec, HostTier, ReplayEngine, ReplayReport, SlowSpan, TraceRequest};

fn run(fleet: &FleetSpec, trace: &[TraceRequest], leaps: bool) -> (ReplayReport, Told) {
    let mut router = Blind::at_random(7);
    let report = Run::new(fleet, trace, &mut router, leaps)
        .expect("sensible")
        .play(&mut |_| ())
        .expect("sensible answers");
    (report, router.told)
}

fn varied(kv_blocks: u32, split: bool) -> FleetSpec {
    let role = |wanted| if split { wanted } else { RoleName::Both };
    let first = ReplayEngine {
        role: role(RoleName::Prefill),
        host: Some(HostTier {
            blocks: 50,
            gbs: 20.0,
        }),
        ..engine(kv_blocks)
    };
    let second = ReplayEngine {
        role: role(RoleName::Decode),
        slow: vec![SlowSpan {
            from_seconds: 0.3,
            to_seconds: 0.9,
            factor: 2.0,
        }],
        ..engine(kv_blocks)
    };
    let third = ReplayEngine {
        batch_tokens: 300,
        max_sequences: 9,
        ..engine(kv_blocks)
    };
    FleetSpec {
        telemetry_every_seconds: 0.1,
        ..fleet(16, vec![first, second, third])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn leaping_changes_nothing(
        seed in any::<u64>(),
        kv_blocks in 40_u32..400,
        gap_millis in 1_u32..60,
        split in any::<bool>(),
    ) {
        let fleet = varied(kv_blocks, split);
        let trace = random_trace(seed, Mix {
            requests: 80,
            gap_seconds: f64::from(gap_millis) / 1_000.0,
            groups: 4,
            block_tokens: 16,
            most_input: 450,
            most_output: 150,
        });
        let (leapt, heard) = run(&fleet, &trace, true);
        let (walked, told) = run(&fleet, &trace, false);
        prop_assert_eq!(heard, told);
        prop_assert_eq!(&leapt, &walked);
        prop_assert_eq!(&leapt, &run(&fleet, &trace, true).0, "equal inputs, equal reports");
        prop_assert!(leapt.records.iter().all(|r| r.finished_seconds.is_some()));
    }
}
