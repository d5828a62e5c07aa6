use std::collections::BTreeSet;

use gateway_core::decider::{
    Answer, Ask, Finish, FirstToken, Init, KvNote, Phase, PrefillDone, TelemetryNote,
};

use super::{presets::Set, *};
use crate::{
    replay::Router,
    workload::{Facts, generate::Kind},
};

/// Each engine in turn, for pairs the same of each kind; counts up by `step`.
struct Turns {
    next: usize,
    step: usize,
}

impl Router for Turns {
    fn init(&mut self, _: &Init) {}
    fn telemetry(&mut self, _: &TelemetryNote) {}
    fn kv(&mut self, _: &KvNote) {}
    fn prefill_done(&mut self, _: &PrefillDone) {}
    fn first_token(&mut self, _: &FirstToken) {}
    fn finish(&mut self, _: &Finish) {}

    fn route(&mut self, ask: &Ask) -> Answer {
        self.next += self.step;
        let of = |list: &Option<Vec<u32>>| {
            let list = list.as_ref().unwrap();
            list[self.next % list.len()]
        };
        let id = ask.id;
        match ask.phase {
            Phase::Both => Answer::Engine {
                id,
                engine: of(&ask.cands),
            },
            Phase::Prefill => Answer::Pair {
                id,
                prefill: of(&ask.cands),
                decode: of(&ask.decode_cands),
            },
        }
    }
}

fn turns(name: &str, step: usize) -> Policy {
    Policy::new(name, move |seed| {
        let next = usize::try_from(seed % 64).unwrap();
        Box::new(Turns { next, step })
    })
}

fn small() -> Scenario {
    let fleet = FleetPlan::new(parse_chips("2x8b-h100").unwrap());
    let workload = Source::Generated(Kind::named("groups").unwrap());
    let mut scenario = Scenario::new("small", fleet, workload);
    scenario.traffic.requests = 300;
    scenario.traffic.rate = 10.0;
    scenario
}

#[test]
fn a_comparison_has_every_policy_and_seed_and_repeats() {
    let mut scenario = small();
    scenario.seeds = vec![5, 6];
    let policies = [turns("turns", 1), turns("one", 0)];
    let progress = Progress::default();
    let a = run(&scenario, &policies, &progress).unwrap();
    let names: Vec<_> = a.policies.iter().map(|policy| &*policy.name).collect();
    assert_eq!(names, ["turns", "one"]);
    assert_eq!(progress.jobs(), (4, 4));
    assert_eq!((progress.replays(), progress.requests()), (4, 1_200));
    let [turns, one] = &a.policies[..] else {
        panic!("two")
    };
    assert_eq!(turns.seeds.len(), 2);
    assert_eq!(turns.ttft_percentiles_ms.len(), 101);
    assert!(turns.ttft_percentiles_ms.is_sorted());
    // All on one engine: the other is idle, and the wait is longer.
    assert!((one.mean.imbalance - 2.0).abs() < 1e-9);
    assert!(one.mean.ttft_ms.mean > turns.mean.ttft_ms.mean);
    assert_eq!(a, run(&scenario, &policies, &Progress::default()).unwrap());
}

#[test]
fn capacity_is_the_rate_at_which_goodput_crosses_the_target() {
    let mut scenario = small();
    scenario.seeds = vec![1];
    scenario.capacity = Some(CapacityPlan::default());
    let policies = [turns("turns", 1), turns("one", 0)];
    let found = run(&scenario, &policies, &Progress::default()).unwrap();
    let factor = |at: usize| found.policies[at].capacity.as_ref().unwrap().factor;
    assert!(factor(0) > 1.3 * factor(1), "{} {}", factor(0), factor(1));
    // Played at that rate, nine in ten are good; at half as much again they are not.
    let goodput_at = |rate: f64| {
        let mut scenario = small();
        scenario.seeds = vec![1];
        scenario.rate = rate;
        let result = run(&scenario, &policies[..1], &Progress::default()).unwrap();
        result.policies[0].mean.goodput
    };
    let at = goodput_at(factor(0));
    assert!((0.86..0.94).contains(&at), "{at}");
    assert!(goodput_at(factor(0) * 1.5) < 0.86);
}

#[test]
fn a_scenario_is_read_whole_or_refused() {
    let text = r#"{"fleet":{"engines":[{"profile":"8b-h100","count":2,"slow":[{"factor":2}]}]},
        "workload":{"generated":{"chat":{"turns":3}}},"capacity":{"goodput":0.8}}"#;
    let scenario: Scenario = serde_json::from_str(text).unwrap();
    assert_eq!(scenario.seeds, [1, 2, 3]);
    assert_eq!(scenario.fleet.spec().unwrap().engines.len(), 2);
    let again: Scenario = serde_json::from_str(&serde_json::to_string(&scenario).unwrap()).unwrap();
    assert_eq!(scenario, again);
    for (from, to, told) in [
        ("\"count\"", "\"cuont\"", "unknown field `cuont`"),
        ("\"chat\"", "\"tea\"", "unknown variant `tea`"),
        ("\"turns\"", "\"trns\"", "unknown field `trns`"),
        (
            "\"capacity\"",
            "\"capacities\"",
            "unknown field `capacities`",
        ),
    ] {
        let wrong = text.replace(from, to);
        let error = serde_json::from_str::<Scenario>(&wrong).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |change: fn(&mut Scenario)| {
        let mut scenario = small();
        change(&mut scenario);
        let error = run(&scenario, &[turns("turns", 1)], &Progress::default()).unwrap_err();
        error.to_string()
    };
    for (change, told) in [
        ((|s| s.rate = 0.0) as fn(&mut Scenario), "`rate` is 0"),
        (|s| s.rate = f64::NAN, "`rate` is NaN"),
        (
            |s| s.objectives.tpot_ms = -1.0,
            "`objectives.tpot_ms` is -1",
        ),
        (|s| s.seeds.clear(), "there is no seed"),
        (|s| s.traffic.requests = 0, "there is no request"),
        (|s| s.fleet.engines.clear(), "the fleet has no engine"),
        (
            |s| s.fleet.block_tokens = 0,
            "the fleet has blocks of no tokens",
        ),
        (
            |s| s.fleet.engines[0].count = usize::MAX,
            "the fleet has more than",
        ),
        (
            |s| s.fleet.engines[0].profile.clear(),
            "unknown chip profile ``",
        ),
        (
            |s| s.fleet.engines[0].role = gateway_core::decider::RoleName::Decode,
            "the fleet has engines for decode, and none",
        ),
    ] {
        let error = refused(change);
        assert!(error.starts_with(told), "{error}");
    }
    let nobody = run(&small(), &[], &Progress::default()).unwrap_err();
    assert_eq!(nobody.to_string(), "there is no policy");
}

#[test]
fn presets_have_names_of_their_own_and_both_sets_all_kinds() {
    let all = presets::all();
    let names: BTreeSet<_> = all.iter().map(|preset| &preset.scenario.name).collect();
    assert_eq!(names.len(), all.len());
    for set in [Set::Tuning, Set::Reported] {
        let of: Vec<_> = all.iter().filter(|preset| preset.set == set).collect();
        assert!(of.len() >= 16, "{set:?}");
        let kinds: BTreeSet<_> = of
            .iter()
            .map(|preset| match &preset.scenario.workload {
                Source::Generated(kind) => std::mem::discriminant(kind),
                Source::Recorded(_) => panic!("presets need no files"),
            })
            .map(|kind| format!("{kind:?}"))
            .collect();
        assert_eq!(kinds.len(), 7, "{set:?}: all kinds but the plainest");
    }
    assert!(presets::named("chat-hbm").is_some());
    assert!(presets::named("tea").is_none());
}

#[test]
fn presets_are_sound() {
    for preset in presets::all() {
        let scenario = preset.scenario;
        scenario.fleet.spec().unwrap();
        let facts = Facts::of(&scenario.trace(1).unwrap());
        let off = facts.rate / scenario.traffic.rate - 1.0;
        assert!(off.abs() < 0.2, "{}: {off}", scenario.name);
    }
}
