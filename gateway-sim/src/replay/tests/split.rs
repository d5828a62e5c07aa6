//! Split pools: transfers by hand, and what routers hear of them.

use gateway_core::decider::{Answer, Ask, Phase, RoleName};

use super::support::{Blind, Says, assert_near, engine, fleet, lone};
use crate::replay::{FleetSpec, ReplayEngine, ReplayError, replay};

fn pool() -> FleetSpec {
    let with = |role| ReplayEngine {
        role,
        ..engine(800)
    };
    fleet(512, vec![with(RoleName::Prefill), with(RoleName::Decode)])
}

#[test]
fn the_cache_moves_over_the_link_in_order_and_one_token_is_computed_again() {
    let fleet = pool();
    let mut router = Blind::by_turns();
    // Both prompts fit into one step, so that the second transfer waits for the first.
    let trace = [lone(0.0, 4_000, 3), lone(0.0, 2_000, 1)];
    let report = replay(&fleet, &trace, &mut router, &mut |_| ()).expect("sensible");

    let chip = fleet.engines[0].chip;
    let pairs = 4_000.0 * 2_000.0 + 2_000.0 * 1_000.0;
    let prefill = (2.98 + 0.01905 * 6_000.0 + 7.96e-7 * pairs + 1.5) / 1_000.0;
    let link = |tokens: f64| tokens * 131_072.0 / 50e9;
    let one_more = |before: f64| (6.43 + 7.96e-7 * (before + 0.5) + 1.5) / 1_000.0;
    let decode =
        |context: f64| (6.43 + 0.0097 + chip.decode_ms_per_context_token * context + 1.5) / 1_000.0;

    let first = prefill + link(4_000.0) + one_more(3_999.0);
    let records = &report.records;
    assert_near(records[0].first_token_seconds.expect("served"), first, 1e-9);
    // The second arrives while the first one's step is under way, and shares the next.
    assert!(prefill + link(6_000.0) < first);
    let mixed = {
        let dense = f64::max(6.43 + 0.0097, 2.98 + 0.01905 * 2.0);
        (dense + 7.96e-7 * 1_999.5 + 4.24e-5 * 4_001.0 + 1.5) / 1_000.0
    };
    assert_near(
        records[1].first_token_seconds.expect("served"),
        first + mixed,
        1e-9,
    );
    let end = first + mixed + decode(4_002.0);
    assert_near(records[0].finished_seconds.expect("served"), end, 1e-9);

    let told = &router.told;
    assert_eq!(told.prefills.len(), 2);
    assert_near(told.prefills[1].now, prefill, 1e-9);
    assert!(told.prefills.iter().all(|note| note.engine == 0));
    assert!(told.first_tokens.iter().all(|note| note.engine == 1));
    assert_eq!(told.asks[0].phase, Phase::Prefill);
    assert_eq!(told.asks[0].cands, Some(vec![0]));
    assert_eq!(told.asks[0].decode_cands, Some(vec![1]));
    assert_eq!(
        (records[0].prefill_engine, records[0].engine),
        (Some(0), Some(1))
    );
    assert_eq!(records[0].cached_tokens, 0);
    assert_eq!(report.engines[0].generated_tokens, 0);
    assert_eq!(report.engines[1].computed_tokens, 2);
}

#[test]
fn blocks_are_held_until_they_are_sent() {
    // Eight blocks, and a link so slow that the third prompt waits for the first transfer, not for the computation.
    let mut fleet = pool();
    fleet.engines[0].kv_blocks = 8;
    fleet.engines[0].nic_gbs = 0.5;
    let trace = [
        lone(0.0, 2_048, 1),
        lone(0.0, 2_048, 1),
        lone(0.0, 2_048, 1),
    ];
    let mut router = Blind::by_turns();
    let report = replay(&fleet, &trace, &mut router, &mut |_| ()).expect("sensible");
    let seconds = 2_048.0 * 131_072.0 / 0.5e9;
    let (both, third) = (router.told.prefills[1].now, router.told.prefills[2].now);
    let alone = (2.98 + 0.01905 * 2_048.0 + 7.96e-7 * 2_048.0 * 1_024.0 + 1.5) / 1_000.0;
    assert_near(third, both + seconds + alone, 1e-9);
    assert!(
        report
            .records
            .iter()
            .all(|record| record.finished_seconds.is_some())
    );
}

#[test]
fn the_same_engine_twice_is_no_split() {
    let fleet = fleet(512, vec![engine(800), engine(800)]);
    let mut twice = Says(|ask: &Ask| Answer::Pair {
        id: ask.id,
        prefill: 1,
        decode: 1,
    });
    let report = replay(&fleet, &[lone(0.0, 900, 5)], &mut twice, &mut |_| ()).expect("sensible");
    assert_eq!(report.records[0].engine, Some(1));
    assert_eq!(report.records[0].prefill_engine, None);
    assert_eq!(report.engines[1].computed_tokens, 900);
}

#[test]
fn a_mixed_fleet_offers_its_whole_engines_for_both_halves() {
    let mut fleet = pool();
    fleet.engines.push(engine(800));
    let mut router = Blind::by_turns();
    replay(&fleet, &[lone(0.0, 900, 5)], &mut router, &mut |_| ()).expect("sensible");
    assert_eq!(router.told.asks[0].cands, Some(vec![0, 2]));
    assert_eq!(router.told.asks[0].decode_cands, Some(vec![1, 2]));
}

#[test]
fn a_split_needs_a_link() {
    let mut fleet = pool();
    fleet.engines[0].nic_gbs = 0.0;
    let failed = replay(
        &fleet,
        &[lone(0.0, 9, 5)],
        &mut Blind::by_turns(),
        &mut |_| (),
    );
    let want = ReplayError::NoLink {
        request: 0,
        engine: 0,
    };
    assert_eq!(failed, Err(want));
}
