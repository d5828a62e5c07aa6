use super::{super::*, *};
use crate::{
    EndpointId, EndpointSpec, Fleet, KvDescriptor, Rng, Role, RouteCx, Timestamp, health::Outcome,
    plugin::scorer_fn, plugins::filters::Healthy,
};

const NOW: Timestamp = Timestamp::from_millis(1);

/// Takes the first of those that are left, so that tests know whom.
fn listed() -> Pipeline {
    let first = scorer_fn(|_, c| 1.0 / (1.0 + f32::from(c.endpoint.id().0)));
    let builder = Pipeline::builder().filter("healthy", Healthy);
    builder.scorer("listed", 1.0, first).build()
}

fn stages(split: SplitRule) -> Stages {
    let spec = PipelinesSpec {
        split: Some(split),
        ..PipelinesSpec::default()
    };
    let built = ModelPipelines::build(&Registry::builtin(), &spec).expect("valid");
    Pipelines::new(built.with(crate::Stage::Unified, listed())).stages("m")
}

fn spec(name: &str, role: Role, connector: &str, dtype: Option<&str>) -> EndpointSpec {
    EndpointSpec::new(name)
        .model("m")
        .role(role)
        .kv(KvDescriptor {
            connector: Some(connector.to_owned()),
            dtype: dtype.map(str::to_owned),
            ..KvDescriptor::default()
        })
}

fn ids(fleet: &Fleet, keep: impl Fn(&EndpointSpec) -> bool) -> Vec<EndpointId> {
    let kept = fleet.endpoints().iter().filter(|e| keep(e.spec()));
    kept.map(|e| e.id()).collect()
}

/// Places a prompt of so many tokens; gives who prefills and who decodes, and the record.
fn place(
    fleet: &Fleet,
    split: SplitRule,
    prompt: u32,
    alone: bool,
) -> (Option<(Option<String>, String)>, Explanation) {
    let prefill = ids(fleet, |spec| spec.role != Role::Decode);
    let decode = ids(fleet, |spec| spec.role != Role::Prefill);
    let mut pools = Pools::new(Some(&prefill), &decode);
    if !alone {
        pools.alone = [Group::Nobody; 2];
    }
    let cx = RouteCx::new("m", NOW).prompt(prompt, &[], 0).output(100);
    let mut record = Explanation::default();
    let placed = stages(split).place(fleet, &cx, pools, &mut Rng::from_seed(1), Some(&mut record));
    let name = |placement: &Placement| placement.endpoint().name().to_owned();
    let names = placed.ok().map(|placed| match &placed {
        PairPlacement::Single(one) | PairPlacement::Alone(one) => (None, name(one)),
        PairPlacement::Pair { prefill, decode } => (Some(name(prefill)), name(decode)),
    });
    (names, record)
}

fn pair(prefill: &str, decode: &str) -> Option<(Option<String>, String)> {
    Some((Some(prefill.to_owned()), decode.to_owned()))
}

fn single(name: &str) -> Option<(Option<String>, String)> {
    Some((None, name.to_owned()))
}

#[test]
fn the_decode_engine_comes_first_and_its_partner_must_understand_it() {
    let fleet = Fleet::new([
        spec("p-fp8", Role::Prefill, "nixl", Some("fp8")),
        spec("p-moon", Role::Prefill, "mooncake", None),
        spec("p-any", Role::Prefill, "nixl", None),
        spec("d-bf16", Role::Decode, "nixl", Some("bf16")),
    ]);
    let fleet = fleet.expect("valid");
    let (placed, record) = place(&fleet, SplitRule::Always, 100, true);
    assert_eq!(placed, pair("p-any", "d-bf16"));
    let told = record.pair.expect("a pair was looked for");
    assert!(told.split);
    let ruled_out: Vec<_> = told
        .prefill
        .filtered
        .iter()
        .map(|out| (&*out.endpoint, &*out.by))
        .collect();
    assert_eq!(
        ruled_out,
        [
            ("p-fp8", "pair: dtype fp8, not bf16 of d-bf16"),
            ("p-moon", "pair: connector mooncake, not nixl of d-bf16"),
        ]
    );
}

#[test]
fn a_decode_engine_without_partners_makes_way_for_one_that_has_some() {
    let fleet = Fleet::new([
        spec("d-moon", Role::Decode, "mooncake", None),
        spec("d-fp8", Role::Decode, "nixl", Some("fp8")),
        spec("d-bf16", Role::Decode, "nixl", Some("bf16")),
        spec("p-bf16", Role::Prefill, "nixl", Some("bf16")),
    ]);
    let fleet = fleet.expect("valid");
    let (placed, _) = place(&fleet, SplitRule::Always, 100, true);
    assert_eq!(placed, pair("p-bf16", "d-bf16"));
}

#[test]
fn pairs_that_cannot_be_are_never_made() {
    let fleet = Fleet::new([
        spec("p", Role::Prefill, "nixl", Some("fp8")),
        spec("d", Role::Decode, "nixl", Some("bf16")),
    ]);
    let fleet = fleet.expect("valid");
    for rule in [SplitRule::Always, SplitRule::Predicted] {
        assert_eq!(
            place(&fleet, rule, 100_000, true).0,
            single("d"),
            "{rule:?}"
        );
        assert_eq!(place(&fleet, rule, 100_000, false).0, None, "{rule:?}");
    }
}

#[test]
fn what_the_decode_engine_must_compute_decides() {
    let fleet = Fleet::new([
        spec("p", Role::Prefill, "nixl", None),
        spec("d", Role::Decode, "nixl", None),
    ]);
    let fleet = fleet.expect("valid");
    let above = SplitRule::AboveUncachedTokens(1_000);
    assert_eq!(place(&fleet, above, 1_000, true).0, single("d"));
    assert_eq!(place(&fleet, above, 1_001, true).0, pair("p", "d"));
    assert_eq!(place(&fleet, SplitRule::Never, 9_999, true).0, single("d"));
    let (placed, record) = place(&fleet, SplitRule::Never, 9_999, false);
    assert_eq!(placed, single("d"), "no pair is wanted, so none is missed");
    assert!(!record.pair.expect("told").split);
}

#[test]
fn a_short_rest_of_a_prompt_is_not_worth_a_transfer() {
    let fleet = Fleet::new([
        spec("p", Role::Prefill, "nixl", None),
        spec("d", Role::Decode, "nixl", None),
    ]);
    let fleet = fleet.expect("valid");
    for (prompt, placed) in [(0, single("d")), (63, single("d")), (64, pair("p", "d"))] {
        let predicted = place(&fleet, SplitRule::Predicted, prompt, true).0;
        assert_eq!(predicted, placed, "{prompt} tokens");
    }
    let always = place(&fleet, SplitRule::Always, 63, true).0;
    assert_eq!(always, pair("p", "d"));
}

#[test]
fn halves_that_can_do_nothing_else_split_what_is_not_worth_it() {
    let fleet = Fleet::new([
        spec("p", Role::Prefill, "sglang", None).half(),
        spec("d", Role::Decode, "sglang", None).half(),
    ]);
    let fleet = fleet.expect("valid");
    let decode = ids(&fleet, |spec| spec.role == Role::Decode);
    let prefill = ids(&fleet, |spec| spec.role == Role::Prefill);
    let cx = RouteCx::new("m", NOW).prompt(10, &[], 0).output(100);
    let pools = Pools {
        prefill: Some(&prefill),
        decode: &decode,
        whole: &[],
        alone: [Group::Nobody; 2],
    };
    let place = |rule| stages(rule).place(&fleet, &cx, pools, &mut Rng::from_seed(1), None);
    let placed = place(SplitRule::AboveUncachedTokens(1_000));
    assert!(matches!(placed, Ok(PairPlacement::Pair { .. })));
    place(SplitRule::Never).expect_err("nobody serves it whole, and pairs are ruled out");
}

#[test]
fn where_a_half_has_no_room_the_request_waits_for_it_unless_one_engine_is_as_good() {
    let fleet = Fleet::new([
        spec("p", Role::Prefill, "nixl", None),
        spec("d", Role::Decode, "nixl", None),
    ]);
    let fleet = fleet.expect("valid");
    let all = ids(&fleet, |_| true);
    let pools = Pools::new(Some(&all[..1]), &all[1..]);
    let limits = RoomLimits {
        requests: Some(1),
        ..RoomLimits::default()
    };
    let mut cx = RouteCx::new("m", NOW).prompt(100, &[], 0).output(100);
    let busy = cx.clone().among(&all[..1]);
    let _busy = listed().place(&fleet, &busy, &mut Rng::from_seed(1));
    cx.room = Some(Room {
        limits: &limits,
        promised: &[],
    });
    let place = |rule| stages(rule).place(&fleet, &cx, pools, &mut Rng::from_seed(1), None);
    for rule in [SplitRule::Always, SplitRule::AboveUncachedTokens(10)] {
        let full = place(rule).expect_err("waits").full.expect("for room");
        assert_eq!(&*full.endpoints, &all[..1], "{rule:?}");
    }
    let placed = place(SplitRule::Predicted);
    assert!(matches!(placed, Ok(PairPlacement::Single(one)) if one.endpoint().name() == "d"));
}

#[test]
fn who_has_no_room_is_waited_for_though_the_next_to_be_asked_are_out() {
    let fleet = Fleet::new([
        spec("p", Role::Prefill, "nixl", None),
        spec("d", Role::Decode, "nixl", None),
    ]);
    let fleet = fleet.expect("valid");
    let all = ids(&fleet, |_| true);
    let limits = RoomLimits {
        requests: Some(1),
        ..RoomLimits::default()
    };
    let mut cx = RouteCx::new("m", NOW).prompt(100, &[], 0).output(100);
    let busy = cx.clone().among(&all[1..]);
    let _busy = listed().place(&fleet, &busy, &mut Rng::from_seed(1));
    let prefill = fleet.by_name("p").expect("listed");
    for _ in 0..20 {
        let state = prefill.state();
        state.finished(&fleet.config().health, Outcome::Failed, NOW);
    }
    cx.room = Some(Room {
        limits: &limits,
        promised: &[],
    });
    // No pair is to be had, as after one that has failed.
    let pools = Pools::new(Some(&[]), &all[1..]);
    let pools = Pools {
        decode: &[],
        alone: [Group::These(&all[1..]), Group::These(&all[..1])],
        ..pools
    };
    let placed = stages(SplitRule::Always).place(&fleet, &cx, pools, &mut Rng::from_seed(1), None);
    let full = placed.expect_err("waits").full.expect("for room");
    assert_eq!(&*full.endpoints, &all[1..]);
}

#[test]
fn what_is_never_worth_splitting_needs_nobody_to_decode() {
    let fleet = halves(0, &["d1", "d2"], able);
    let whole = ids(&fleet, |spec| spec.role == Role::Prefill);
    let pools = Pools {
        prefill: Some(&[]),
        decode: &ids(&fleet, |spec| spec.role == Role::Decode),
        whole: &whole,
        alone: [Group::Nobody; 2],
    };
    let place = |prompt| {
        let cx = RouteCx::new("m", NOW).prompt(prompt, &[], 0).output(100);
        let rule = SplitRule::AboveUncachedTokens(1_000);
        stages(rule).place(&fleet, &cx, pools, &mut Rng::from_seed(1), None)
    };
    assert!(matches!(place(1_000), Ok(PairPlacement::Single(_))));
    assert!(place(1_001).is_err(), "that takes a pair");
}

#[test]
fn lengths_rule_each_half_by_itself() {
    let fleet = Fleet::new([
        spec("p-short", Role::Prefill, "nixl", None).prompt_range(0, 1_000),
        spec("p-long", Role::Prefill, "nixl", None).prompt_range(1_001, 50_000),
        spec("d-short", Role::Decode, "nixl", None).prompt_range(0, 4_000),
        spec("d-long", Role::Decode, "nixl", None).prompt_range(4_001, 100_000),
    ]);
    let fleet = fleet.expect("valid");
    let placed = |tokens| place(&fleet, SplitRule::Always, tokens, true).0;
    assert_eq!(placed(1_000), pair("p-short", "d-short"));
    assert_eq!(placed(4_000), pair("p-long", "d-short"));
    assert_eq!(placed(4_001), pair("p-long", "d-long"));
    assert_eq!(placed(60_000), single("d-long"), "nobody prefills that");
    assert_eq!(
        placed(200_000),
        single("d-short"),
        "nobody is meant for that"
    );
}

#[test]
fn with_one_role_alone_it_serves_end_to_end_unless_told_otherwise() {
    for role in [Role::Prefill, Role::Decode] {
        let fleet = Fleet::new([spec("one", role, "nixl", None)]).expect("valid");
        assert_eq!(place(&fleet, SplitRule::Always, 100, true).0, single("one"));
        assert_eq!(place(&fleet, SplitRule::Always, 100, false).0, None);
    }
    let fleet = Fleet::new([spec("one", Role::Unified, "nixl", None)]).expect("valid");
    let (placed, _) = place(&fleet, SplitRule::Always, 100, true);
    assert_eq!(placed, single("one"), "nobody is a pair by itself");
}

#[test]
fn what_is_placed_is_booked_on_both_and_released() {
    let fleet = Fleet::new([
        spec("p", Role::Prefill, "nixl", None),
        spec("d", Role::Decode, "nixl", None),
    ]);
    let fleet = fleet.expect("valid");
    let all = ids(&fleet, |_| true);
    let cx = RouteCx::new("m", NOW).prompt(100, &[], 0).output(100);
    let pools = Pools::new(Some(&all[..1]), &all[1..]);
    let placed = stages(SplitRule::Always).place(&fleet, &cx, pools, &mut Rng::from_seed(1), None);
    let loads = || {
        let endpoints = fleet.endpoints().iter();
        endpoints
            .map(|e| e.state().in_flight().requests)
            .collect::<Vec<_>>()
    };
    assert_eq!(loads(), [1, 1]);
    drop(placed.expect("placed"));
    assert_eq!(loads(), [0, 0]);
}

/// Engines by halves, those named out with open breakers.
fn halves(percent: u32, out: &[&str], spec: fn(&str, Role) -> EndpointSpec) -> Fleet {
    let specs = [
        spec("p1", Role::Prefill),
        spec("p2", Role::Prefill),
        spec("d1", Role::Decode),
        spec("d2", Role::Decode),
    ];
    let mut config = crate::FleetConfig::default();
    config.health.panic_percent = percent;
    let fleet = Fleet::with_config(specs, config).expect("valid");
    for name in out {
        let state = fleet.by_name(name).expect("there").state();
        for _ in 0..3 {
            state.finished(&config.health, Outcome::Failed, NOW);
        }
    }
    fleet
}

fn half(name: &str, role: Role) -> EndpointSpec {
    spec(name, role, "sglang", None).half()
}

fn able(name: &str, role: Role) -> EndpointSpec {
    spec(name, role, "nixl", None)
}

#[test]
fn a_half_that_is_wholly_out_is_used_where_nobody_serves_the_request_alone() {
    let fleet = halves(100, &["d1", "d2"], half);
    let (placed, record) = place(&fleet, SplitRule::Always, 100, false);
    let (prefill, decode) = placed.expect("a pair all the same");
    assert!(prefill.is_some() && decode.starts_with('d'), "{decode}");
    let told = record.pair.expect("a pair");
    assert!(told.decode.panic && !told.prefill.panic);
    assert!(fleet.panics() > 0);

    let off = halves(0, &["d1", "d2"], half);
    assert_eq!(place(&off, SplitRule::Always, 100, false).0, None);
    let all = halves(100, &["p1", "p2", "d1", "d2"], half);
    let (placed, record) = place(&all, SplitRule::Always, 100, false);
    assert!(matches!(placed, Some((Some(_), _))));
    let told = record.pair.expect("a pair");
    assert!(told.decode.panic && told.prefill.panic);
}

#[test]
fn one_engine_that_serves_it_whole_is_better_than_a_broken_half() {
    let fleet = halves(100, &["d1", "d2"], able);
    let (placed, _) = place(&fleet, SplitRule::Always, 100, true);
    let (prefill, decode) = placed.expect("served");
    assert!(prefill.is_none() && decode.starts_with('p'), "{decode}");
    assert_eq!(fleet.panics(), 0);
}

#[test]
fn each_half_panics_by_its_own_count() {
    let decoders = |percent| {
        let fleet = halves(percent, &["d1"], half);
        // What is booked stays, so that load spreads over whoever may be used.
        let mut booked = Vec::new();
        let decode = (0..8).map(|seed| {
            let all = ids(&fleet, |_| true);
            let mut pools = Pools::new(Some(&all[..2]), &all[2..]);
            (pools.alone, pools.whole) = ([Group::Nobody; 2], &[]);
            let cx = RouteCx::new("m", NOW).prompt(100, &[], 0).output(100);
            let mut rng = Rng::from_seed(seed);
            let placed = stages(SplitRule::Always).place(&fleet, &cx, pools, &mut rng, None);
            match placed.expect("placed") {
                PairPlacement::Pair { decode, .. } => {
                    let name = decode.endpoint().name().to_owned();
                    booked.push(decode);
                    name
                }
                other => panic!("{other:?}"),
            }
        });
        decode.collect::<std::collections::BTreeSet<_>>()
    };
    // One of two decode engines is out: half of them, though a quarter of all.
    assert!(decoders(50).contains("d1"), "{:?}", decoders(50));
    assert!(!decoders(51).contains("d1"), "{:?}", decoders(51));
}
