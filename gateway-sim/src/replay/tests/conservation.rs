//! Blocks are neither lost nor made, whatever happens.

use std::collections::HashSet;

use gateway_core::decider::KvNote;
use proptest::prelude::*;

use super::support::{Blind, Mix, engine, fleet, grouped, play, random_trace};
use crate::replay::run::Run;
use crate::replay::{FleetSpec, HostTier, ReplayEngine};

/// What a listener to the notes believes an engine has.
#[derive(Debug, Default)]
struct Believed {
    device: HashSet<u64>,
    host: HashSet<u64>,
}

impl Believed {
    fn hear(&mut self, note: &KvNote) {
        for (came, went, set) in [
            (&note.stored, &note.removed, &mut self.device),
            (&note.host_stored, &note.host_removed, &mut self.host),
        ] {
            assert!(came.iter().all(|id| set.insert(*id)), "stored twice");
            assert!(went.iter().all(|id| set.remove(id)), "removed unknown");
        }
    }
}

fn pressed(kv_blocks: u32, host_blocks: u32) -> FleetSpec {
    let host = HostTier {
        blocks: host_blocks,
        gbs: 25.0,
    };
    let one = ReplayEngine {
        host: (host_blocks > 0).then_some(host),
        max_sequences: 20,
        ..engine(kv_blocks)
    };
    fleet(16, vec![one.clone(), one])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn blocks_are_conserved(seed in any::<u64>(), kv_blocks in 36_u32..120, host_blocks in 0_u32..60) {
        let fleet = pressed(kv_blocks, host_blocks);
        let trace = random_trace(seed, Mix {
            requests: 60,
            gap_seconds: 0.01,
            groups: 3,
            block_tokens: 16,
            most_input: 350,
            most_output: 200,
        });
        let mut router = Blind::by_turns();
        let mut run = Run::new(&fleet, &trace, &mut router, true).expect("sensible");
        while run.turn(&mut |_| ()).expect("sensible answers") {
            run.engines.iter().for_each(super::super::engine::Engine::check);
        }
        let report = run.report();
        for engine in &report.engines {
            prop_assert!(engine.kv_peak <= 1.0 && engine.kv_mean <= engine.kv_peak);
            prop_assert!(engine.busy_share <= 1.0 + 1e-9);
        }
        prop_assert!(report.records.iter().all(|record| record.finished_seconds.is_some()));
        let asked: u64 = trace.iter().map(|request| u64::from(request.output_tokens)).sum();
        let made: u64 = report.engines.iter().map(|engine| engine.generated_tokens).sum();
        prop_assert_eq!(asked, made);
        prop_assert_eq!(report.gaps.count(), asked - trace.len() as u64);
        let mut believed = [Believed::default(), Believed::default()];
        router.told.kv.iter().for_each(|note| believed[note.engine as usize].hear(note));
        for one in &believed {
            prop_assert!(one.device.len() <= kv_blocks as usize && one.host.len() <= host_blocks as usize);
        }
    }
}

#[test]
fn the_last_admitted_gives_way_and_everybody_finishes() {
    // Ten blocks of 16: each of the three outgrows a third of them.
    let sizes = (16, 40, 60);
    let trace: Vec<_> = (0..3_u32)
        .map(|n| grouped(f64::from(n) * 0.001, (1, 0), u64::from(n), sizes))
        .collect();
    let report = play(&fleet(16, vec![engine(10)]), &trace);
    let preempted: Vec<u32> = report.records.iter().map(|r| r.preemptions).collect();
    assert!(report.preemptions() > 0);
    assert_eq!(preempted[0], 0);
    assert!(
        report
            .records
            .iter()
            .all(|record| record.output_tokens == 60)
    );
    assert_eq!(report.engines[0].blocks_peak, 10);
    // What was computed before is computed again, the first token is not told again.
    assert!(report.engines[0].computed_tokens > 120);
    assert_eq!(report.gaps.count(), 3 * 59);
}
