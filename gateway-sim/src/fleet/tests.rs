//! Fleets under simple policies.

use std::time::Duration;

use gateway_core::{Rng, Timestamp};

use super::*;
use crate::model::{ChipProfile, EngineConfig, Request, RequestId};

const TTFT: Duration = Duration::from_millis(500);
const TPOT: Duration = Duration::from_millis(50);

fn fleet(engines: usize) -> Fleet {
    let chip = ChipProfile::named("8b-a100").expect("in the table");
    Fleet::new(vec![EngineConfig::for_chip(chip); engines]).expect("valid")
}

/// Groups of requests with a prefix of 1,600 tokens in common, at random moments.
fn traffic(seed: u64, count: u64, groups: usize, mean_gap_micros: f64) -> Vec<Arrival> {
    let mut rng = Rng::from_seed(seed);
    let mut at = 0.0;
    (0..count)
        .map(|id| {
            at -= mean_gap_micros * (1.0 - rng.unit()).ln();
            let group = u32::try_from(rng.below(groups)).expect("few groups");
            let mut prompt = vec![group; 1_600];
            prompt.extend((0..200).map(|_| u32::try_from(rng.below(100_000)).expect("small")));
            let output = vec![1; 20 + rng.below(60)];
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small positive number"
            )]
            let at = Timestamp::from_micros(at as u64);
            Arrival {
                at,
                request: Request::new(RequestId(id), prompt, output),
            }
        })
        .collect()
}

fn by_group(engines: usize) -> impl FnMut(&Arrival, Timestamp) -> Option<usize> {
    move |arrival, _| Some(arrival.request.prompt[0] as usize % engines)
}

fn at_random(engines: usize, seed: u64) -> impl FnMut(&Arrival, Timestamp) -> Option<usize> {
    let mut rng = Rng::from_seed(seed);
    move |_, _| Some(rng.below(engines))
}

#[test]
fn equal_inputs_give_equal_reports() {
    let run = || fleet(3).run(traffic(1, 200, 10, 20_000.0), &mut at_random(3, 5));
    assert_eq!(run(), run());
    assert_eq!(run().count(Outcome::Finished), 200);
}

#[test]
fn keeping_groups_together_hits_more_and_answers_sooner() {
    for seed in 1..=3 {
        let arrivals = traffic(seed, 400, 32, 30_000.0);
        let grouped = fleet(4).run(arrivals.clone(), &mut by_group(4));
        let random = fleet(4).run(arrivals, &mut at_random(4, seed));
        assert!(grouped.hit_rate() > random.hit_rate() + 0.1, "seed {seed}");
        assert!(grouped.ttft().mean < random.ttft().mean, "seed {seed}");
    }
}

#[test]
fn more_engines_serve_more_within_the_objectives() {
    let goodput = |engines| {
        fleet(engines)
            .run(traffic(2, 300, 300, 30_000.0), &mut at_random(engines, 9))
            .goodput(TTFT, TPOT)
    };
    let all: Vec<f64> = [1, 2, 4, 8].map(goodput).to_vec();
    assert!(all.is_sorted(), "{all:?}");
    assert!(all[0] < 0.5 && all[3] > 0.9, "{all:?}");
}

#[test]
fn a_dead_engine_loses_what_it_had_and_refuses_until_it_recovers() {
    let arrivals = traffic(3, 300, 300, 20_000.0);
    let (died, back) = (Timestamp::from_millis(2_000), Timestamp::from_millis(4_000));
    let incident = |at, kind| Incident {
        at,
        engine: 1,
        kind,
    };
    let report = fleet(2)
        .with_incident(incident(died, IncidentKind::Die))
        .with_incident(incident(back, IncidentKind::Recover))
        .with_incident(Incident {
            engine: 99,
            ..incident(back, IncidentKind::Die)
        })
        .run(arrivals, &mut at_random(2, 4));
    assert!(report.count(Outcome::Lost) > 0);
    for record in &report.records {
        let is_down = (died..back).contains(&record.arrived_at) && record.engine == Some(1);
        assert_eq!(record.outcome == Outcome::Refused, is_down, "{record:?}");
        if record.outcome == Outcome::Lost {
            assert!(record.engine == Some(1) && record.arrived_at <= died);
        }
    }
    assert!(report.engines[1].is_some_and(|metrics| metrics.finished > 0));
}

#[test]
fn a_slow_node_is_slow_from_then_on() {
    let slow = Incident {
        at: Timestamp::from_millis(1_000),
        engine: 0,
        kind: IncidentKind::Slow(3.0),
    };
    let arrivals = traffic(4, 100, 100, 100_000.0);
    let normal = fleet(1).run(arrivals.clone(), &mut at_random(1, 0));
    let slowed = fleet(1)
        .with_incident(slow)
        .run(arrivals, &mut at_random(1, 0));
    let before = |report: &FleetReport| report.records[0].ttft();
    assert_eq!(before(&normal), before(&slowed));
    assert!(slowed.itl().p50 > normal.itl().p50 * 2);
}

/// Sends each request where the last scrape saw the least, and counts what it hears.
#[derive(Default)]
struct Watcher {
    seen: Vec<u32>,
    scrapes: usize,
    tokens: usize,
    stores: usize,
    lost: usize,
}

impl Policy for Watcher {
    fn route(&mut self, arrival: &Arrival, _: Timestamp) -> Option<usize> {
        let least = (0..self.seen.len()).min_by_key(|engine| self.seen[*engine]);
        least.filter(|_| arrival.request.id.0 != 50)
    }

    fn observe(&mut self, event: &FleetEvent<'_>, _: Timestamp) {
        match event {
            FleetEvent::Step { output, .. } => {
                self.tokens += output.tokens.len();
                self.stores += output.kv_events.len();
            }
            FleetEvent::Lost { .. } => self.lost += 1,
            FleetEvent::Scraped { engine, metrics } => {
                self.scrapes += 1;
                self.seen[*engine] = metrics.running + metrics.waiting;
            }
        }
    }
}

#[test]
fn a_policy_hears_what_a_router_would() {
    let mut watcher = Watcher {
        seen: vec![0; 2],
        ..Watcher::default()
    };
    let die = Incident {
        at: Timestamp::from_millis(1_500),
        engine: 0,
        kind: IncidentKind::Die,
    };
    let report = fleet(2)
        .with_incident(die)
        .scraped_every(Duration::from_millis(100))
        .run(traffic(5, 120, 20, 20_000.0), &mut watcher);
    assert_eq!(
        watcher.tokens,
        report
            .records
            .iter()
            .map(|record| record.tokens as usize)
            .sum::<usize>()
    );
    assert_eq!(watcher.lost, report.count(Outcome::Lost));
    assert_eq!(report.count(Outcome::Shed), 1);
    assert!(watcher.scrapes > 20 && watcher.stores > 0 && watcher.lost > 0);
    let gaps: usize = report
        .records
        .iter()
        .map(|record| record.tokens.saturating_sub(1) as usize)
        .sum();
    assert_eq!(report.gaps.len(), gaps);
}

#[test]
fn summaries_take_the_nearest_rank() {
    let summary = Summary::of((1..=200).map(Duration::from_millis));
    let ms = |n| Duration::from_millis(n);
    assert_eq!(
        (summary.p50, summary.p90, summary.p99, summary.max),
        (ms(100), ms(180), ms(198), ms(200))
    );
    assert_eq!(summary.mean, Duration::from_micros(100_500));
    assert_eq!(Summary::of([]), Summary::default());
}
