use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::workload::{Arrivals, Facts, Objectives};

fn made(kind: &Kind, traffic: Traffic, seed: u64) -> (Vec<Draft>, Facts) {
    let drafts = kind.generate(traffic, 512, seed);
    let wanting = |draft: &Draft| draft.clone().wanting(&Objectives::default());
    let trace: Vec<_> = drafts.iter().map(wanting).collect();
    let facts = Facts::of(&trace);
    (drafts, facts)
}

fn all() -> impl Iterator<Item = Kind> {
    Kind::NAMES.iter().map(|name| Kind::named(name).unwrap())
}

#[test]
fn every_kind_repeats_from_its_seed_and_differs_from_another() {
    for kind in all() {
        let (a, facts) = made(&kind, Traffic::default(), 1);
        assert_eq!(a, made(&kind, Traffic::default(), 1).0, "{kind:?}");
        assert_ne!(a, made(&kind, Traffic::default(), 2).0, "{kind:?}");
        assert_eq!(facts.requests, 2_000);
        assert!(a.is_sorted_by(|a, b| a.at_seconds <= b.at_seconds));
    }
}

#[test]
fn every_kind_keeps_the_rate() {
    for kind in all() {
        for arrivals in [Arrivals::Poisson, Arrivals::Gamma { cv: 2.0 }] {
            let traffic = Traffic {
                requests: 6_000,
                rate: 20.0,
                arrivals,
            };
            let (_, facts) = made(&kind, traffic, 3);
            let off = (facts.rate / 20.0 - 1.0).abs();
            assert!(off < 0.15, "{kind:?} {arrivals:?}: {}", facts.rate);
        }
    }
}

#[test]
fn every_kind_reuses_as_much_as_it_says() {
    for (name, low, high) in [
        ("groups", 0.70, 0.76),
        ("agents", 0.59, 0.65),
        ("chat", 0.35, 0.39),
        ("bimodal", 0.0, 0.0),
        ("bursts", 0.24, 0.30),
        ("hot-prefix", 0.60, 0.68),
        ("documents", 0.58, 0.66),
        ("uniform", 0.0, 0.0),
    ] {
        let kind = Kind::named(name).unwrap();
        let mean: f64 = (1..=5)
            .map(|seed| made(&kind, Traffic::default(), seed).1.reuse / 5.0)
            .sum();
        assert!((low..=high).contains(&mean), "{name}: {mean}");
    }
}

#[test]
fn a_hot_prefix_is_as_hot_as_it_says() {
    let (drafts, _) = made(&Kind::named("hot-prefix").unwrap(), Traffic::default(), 9);
    let mut firsts = HashMap::new();
    for draft in &drafts {
        *firsts.entry(draft.blocks[0]).or_insert(0) += 1;
    }
    let hottest = *firsts.values().max().unwrap();
    assert!((1_300..1_500).contains(&hottest), "{hottest} of 2,000");
    assert_eq!(firsts.len(), 101);
}

#[test]
fn bimodal_has_both_and_little_between() {
    let (drafts, _) = made(&Kind::named("bimodal").unwrap(), Traffic::default(), 9);
    let share = |low: u32, high: u32| {
        let range = low..high;
        drafts
            .iter()
            .filter(|d| range.contains(&d.input_tokens))
            .count()
    };
    assert!((110..210).contains(&share(8_000, 60_001)));
    assert!(share(4_000, 8_000) < 20);
}

#[test]
fn absurd_parameters_neither_panic_nor_run_away() {
    let traffic = Traffic {
        requests: 50,
        rate: f64::NAN,
        arrivals: Arrivals::Poisson,
    };
    for kind in [
        r#"{"groups":{"groups":0,"users":0}}"#,
        r#"{"agents":{"agents":0,"turns":1e30,"pause_seconds":-1}}"#,
        r#"{"chat":{"turns":0,"pause_seconds":1e300}}"#,
        r#"{"documents":{"document_tokens":{"median":0,"sigma":-5},"questions":-1}}"#,
        r#"{"bimodal":{"long_share":7}}"#,
        r#"{"uniform":{"input_tokens":[9,0],"output_tokens":[0,0]}}"#,
        r#"{"hot-prefix":{"cold_prefixes":0,"hot_share":-1}}"#,
    ] {
        let kind: Kind = serde_json::from_str(kind).unwrap();
        for draft in kind.generate(traffic, 512, 1) {
            assert!(draft.input_tokens > 0 && draft.output_tokens > 0);
            assert!(draft.at_seconds.is_finite() && !draft.blocks.is_empty());
        }
    }
    assert!(
        Kind::named("tea")
            .unwrap_err()
            .to_string()
            .contains("hot-prefix")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// An id stands for everything before it, so it never comes after two different ids.
    #[test]
    fn a_block_has_one_parent(seed: u64, which in 0..8_usize, block_tokens in prop::sample::select(vec![16, 100, 512])) {
        let kind = Kind::named(Kind::NAMES[which]).unwrap();
        let traffic = Traffic { requests: 200, ..Traffic::default() };
        let mut parents = HashMap::new();
        for draft in kind.generate(traffic, block_tokens, seed) {
            prop_assert_eq!(draft.blocks.len(), draft.input_tokens.div_ceil(block_tokens) as usize);
            let mut parent = None;
            for &id in &*draft.blocks {
                prop_assert_eq!(*parents.entry(id).or_insert(parent), parent);
                parent = Some(id);
            }
        }
    }
}
