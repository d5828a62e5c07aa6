//! The model against what a real engine does, and against itself under random operations.

use std::collections::HashSet;

use gateway_core::{BlockHash, Rng, Timestamp};
use proptest::prelude::*;

use super::*;

/// Blocks of 4 tokens, so that small prompts exercise everything.
fn small(kv_blocks: u32) -> EngineConfig {
    let chip = ChipProfile::named("8b-h100").expect("in the table");
    EngineConfig {
        block_tokens: 4,
        kv_blocks,
        batch_tokens: 32,
        max_sequences: 8,
        max_model_tokens: kv_blocks * 4,
        ..EngineConfig::for_chip(chip)
    }
}

fn engine(config: EngineConfig) -> EngineModel {
    EngineModel::new(config).expect("a valid configuration")
}

fn request(id: u64, first_token: u32, prompt: usize, output: usize) -> Request {
    let tokens = |start: u32, count: usize| (start..).take(count).collect::<Vec<u32>>();
    Request::new(
        RequestId(id),
        tokens(first_token, prompt),
        tokens(900_000 + first_token, output),
    )
}

/// Runs until idle; the outputs in order.
fn drain(engine: &mut EngineModel) -> Vec<StepOutput> {
    std::iter::from_fn(|| engine.next_step_at().map(|at| engine.step(at))).collect()
}

fn last_end(outputs: &[StepOutput]) -> Timestamp {
    outputs
        .iter()
        .filter_map(|output| output.ended_at)
        .max()
        .expect("at least one step")
}

fn first_token_at(outputs: &[StepOutput], id: u64) -> Timestamp {
    let token = Token {
        id: RequestId(id),
        index: 0,
    };
    let step = outputs
        .iter()
        .find(|output| output.tokens.contains(&token))
        .expect("it got a token");
    step.ended_at.expect("tokens come at the end of a step")
}

#[test]
fn a_request_gets_each_token_once_and_in_order() {
    let mut engine = engine(small(64));
    engine
        .submit(Timestamp::ZERO, request(1, 0, 50, 7))
        .expect("fits");
    let outputs = drain(&mut engine);
    let indexes: Vec<u32> = outputs
        .iter()
        .flat_map(|o| &o.tokens)
        .map(|t| t.index)
        .collect();
    assert_eq!(indexes, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(outputs.iter().flat_map(|o| &o.finished).count(), 1);
    // Two chunks of the prompt (32 and 18 tokens), the second of which gives the first token, then six decodes.
    assert_eq!(engine.metrics().steps, 8);
    assert_eq!(engine.metrics().prompt_tokens, 50);
    assert_eq!(engine.metrics().blocks_in_use, 0);
}

#[test]
fn decodes_keep_their_place_beside_a_long_prompt() {
    let mut engine = engine(small(256));
    engine
        .submit(Timestamp::ZERO, request(1, 0, 4, 20))
        .expect("fits");
    engine.step(Timestamp::ZERO);
    let at = engine.next_step_at().expect("at work");
    engine.submit(at, request(2, 5_000, 200, 1)).expect("fits");
    let outputs = drain(&mut engine);
    let before_first = outputs
        .iter()
        .take_while(|o| !o.tokens.iter().any(|t| t.id == RequestId(2)));
    let decoded = before_first
        .flat_map(|o| &o.tokens)
        .filter(|t| t.id == RequestId(1))
        .count();
    assert!(
        decoded >= 6,
        "the long prompt is cut into chunks of 31 tokens; {decoded} tokens came out meanwhile"
    );
}

#[test]
fn a_repeated_prefix_is_found_and_saves_time() {
    let mut engine = engine(EngineConfig {
        batch_tokens: 4_096,
        ..small(2_048)
    });
    engine
        .submit(Timestamp::ZERO, request(1, 0, 4_001, 1))
        .expect("fits");
    let cold = last_end(&drain(&mut engine));
    engine.submit(cold, request(2, 0, 4_001, 1)).expect("fits");
    let outputs = drain(&mut engine);
    assert_eq!(
        outputs[0].admitted,
        [Admission {
            id: RequestId(2),
            cached_tokens: 4_000
        }]
    );
    let warm = last_end(&outputs).since(cold);
    assert!(
        warm * 5 < cold.since(Timestamp::ZERO),
        "warm {warm:?}, cold {cold:?}"
    );
    assert_eq!(engine.metrics().prefix_hits_tokens, 4_000);
    assert_eq!(engine.metrics().prefix_queries_tokens, 8_002);
}

#[test]
fn a_prompt_that_is_cached_whole_still_computes_its_last_token() {
    let mut engine = engine(small(64));
    for id in 1..=2 {
        let now = engine
            .next_step_at()
            .unwrap_or(Timestamp::from_millis(id * 1_000));
        engine.submit(now, request(id, 0, 16, 1)).expect("fits");
        let outputs = drain(&mut engine);
        assert_eq!(
            outputs[0].admitted[0].cached_tokens,
            if id == 1 { 0 } else { 12 }
        );
    }
}

#[test]
fn the_next_turn_finds_the_answer_of_the_last() {
    let mut engine = engine(small(64));
    let first = request(1, 0, 8, 9);
    let conversation: Vec<u32> = first
        .prompt
        .iter()
        .chain(first.output.iter())
        .copied()
        .collect();
    engine.submit(Timestamp::ZERO, first).expect("fits");
    let end = last_end(&drain(&mut engine));
    engine
        .submit(end, Request::new(RequestId(2), conversation, [1]))
        .expect("fits");
    assert_eq!(drain(&mut engine)[0].admitted[0].cached_tokens, 16);
}

#[test]
fn namespaces_share_nothing() {
    let mut engine = engine(small(64));
    engine
        .submit(Timestamp::ZERO, request(1, 0, 16, 1))
        .expect("fits");
    let end = last_end(&drain(&mut engine));
    engine
        .submit(
            end,
            Request {
                namespace: 7,
                ..request(2, 0, 16, 1)
            },
        )
        .expect("fits");
    assert_eq!(drain(&mut engine)[0].admitted[0].cached_tokens, 0);
}

#[test]
fn the_block_idle_for_longest_is_evicted_and_of_one_prompt_the_tail() {
    let mut engine = engine(small(8));
    let mut now = Timestamp::ZERO;
    for (id, first_token) in [(1, 0), (2, 1_000)] {
        engine
            .submit(now, request(id, first_token, 16, 1))
            .expect("fits");
        now = last_end(&drain(&mut engine));
    }
    assert_eq!(engine.metrics().blocks_idle, 8);
    // Needs two blocks: those at the end of request 1 must go.
    engine.submit(now, request(3, 2_000, 8, 1)).expect("fits");
    let removed: Vec<BlockHash> = kv_events(&drain(&mut engine))
        .filter_map(|event| match event {
            KvEvent::Removed { hash } => Some(*hash),
            _ => None,
        })
        .collect();
    assert_eq!(removed.len(), 2);
    let end = engine
        .next_step_at()
        .unwrap_or(Timestamp::from_millis(9_000));
    engine.submit(end, request(4, 0, 16, 1)).expect("fits");
    assert_eq!(
        drain(&mut engine)[0].admitted[0].cached_tokens,
        8,
        "its head is still there"
    );
}

fn kv_events(outputs: &[StepOutput]) -> impl Iterator<Item = &KvEvent> {
    outputs.iter().flat_map(|output| &output.kv_events)
}

#[test]
fn stores_chain_to_their_parents_and_carry_their_tokens() {
    let mut engine = engine(small(64));
    engine
        .submit(Timestamp::ZERO, request(1, 0, 40, 5))
        .expect("fits");
    let outputs = drain(&mut engine);
    let mut parent = None;
    let mut tokens: Vec<u32> = Vec::new();
    for event in kv_events(&outputs) {
        let KvEvent::Stored {
            hashes,
            parent: said,
            tokens: new,
        } = event
        else {
            panic!("only stores here")
        };
        assert_eq!(*said, parent);
        assert_eq!(new.len(), hashes.len() * 4);
        parent = hashes.last().copied();
        tokens.extend(new);
    }
    let whole: Vec<u32> = (0..40).chain(900_000..900_004).collect();
    assert_eq!(
        tokens, whole,
        "every full block of prompt and answer, but not the token that was never computed"
    );
}

#[test]
fn a_reset_is_announced_with_the_next_step_and_empties_the_cache() {
    let mut engine = engine(small(64));
    engine
        .submit(Timestamp::ZERO, request(1, 0, 16, 1))
        .expect("fits");
    let end = last_end(&drain(&mut engine));
    engine.reset_prefix_cache();
    engine.submit(end, request(2, 0, 16, 1)).expect("fits");
    let outputs = drain(&mut engine);
    assert_eq!(outputs[0].kv_events, [KvEvent::Cleared]);
    assert_eq!(outputs[0].admitted[0].cached_tokens, 0);
}

#[test]
fn the_last_admitted_gives_way_when_blocks_run_out_and_still_finishes() {
    let mut engine = engine(small(10));
    for id in 1..=2 {
        engine
            .submit(Timestamp::ZERO, request(id, id as u32 * 1_000, 12, 20))
            .expect("fits");
    }
    let outputs = drain(&mut engine);
    let finished: Vec<RequestId> = outputs.iter().flat_map(|o| o.finished.clone()).collect();
    assert_eq!(finished, [RequestId(1), RequestId(2)]);
    assert!(engine.metrics().preemptions >= 1);
    for id in 1..=2 {
        let tokens = outputs
            .iter()
            .flat_map(|o| &o.tokens)
            .filter(|t| t.id == RequestId(id))
            .count();
        assert_eq!(tokens, 20, "a preempted request repeats no token");
    }
}

#[test]
fn more_load_never_serves_anyone_sooner_and_throughput_saturates() {
    let time_of = |requests: u64| {
        let mut engine = engine(EngineConfig {
            max_sequences: 8,
            ..small(4_096)
        });
        for id in 0..requests {
            engine
                .submit(Timestamp::ZERO, request(id, id as u32 * 10_000, 16, 32))
                .expect("fits");
        }
        let outputs = drain(&mut engine);
        (
            last_end(&outputs).as_micros(),
            first_token_at(&outputs, requests - 1).as_micros(),
        )
    };
    let runs: Vec<(u64, u64)> = [1, 2, 4, 8, 16, 32].into_iter().map(time_of).collect();
    for pair in runs.windows(2) {
        assert!(pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1, "{runs:?}");
    }
    assert!(
        runs[3].0 < runs[0].0 * 2,
        "eight at once cost little more than one: {runs:?}"
    );
    assert!(
        runs[5].0 > runs[3].0 * 3,
        "beyond the batch they queue: {runs:?}"
    );
}

#[test]
fn a_slowdown_stretches_every_later_step() {
    let mut engine = engine(small(64));
    engine
        .submit(Timestamp::ZERO, request(1, 0, 8, 4))
        .expect("fits");
    let normal = last_end(&drain(&mut engine));
    engine.reset_prefix_cache();
    engine.set_slowdown(3.0);
    engine.submit(normal, request(2, 0, 8, 4)).expect("fits");
    let slow = last_end(&drain(&mut engine)).since(normal).as_micros();
    let expected = u128::from(normal.as_micros()) * 3;
    assert!(slow.abs_diff(expected) < 20, "{slow} against {expected}");
}

#[test]
fn what_cannot_be_served_is_refused_without_a_trace() {
    let mut engine = engine(small(8));
    let refused = [
        (
            Request::new(RequestId(1), [], [1]),
            SubmitError::EmptyPrompt,
        ),
        (
            Request::new(RequestId(1), [1], []),
            SubmitError::EmptyOutput,
        ),
        (
            request(1, 0, 30, 3),
            SubmitError::TooLong {
                tokens: 33,
                limit: 32,
            },
        ),
    ];
    for (request, error) in refused {
        assert_eq!(engine.submit(Timestamp::ZERO, request), Err(error));
    }
    engine
        .submit(Timestamp::ZERO, request(1, 0, 4, 1))
        .expect("fits");
    assert_eq!(
        engine.submit(Timestamp::ZERO, request(1, 0, 4, 1)),
        Err(SubmitError::Duplicate(RequestId(1)))
    );
    assert_eq!(engine.metrics().waiting, 1);
}

/// What an index that hears all events must believe.
#[derive(Default)]
struct Listener {
    known: HashSet<BlockHash>,
}

impl Listener {
    fn hear(&mut self, event: &KvEvent) {
        match event {
            KvEvent::Stored { hashes, .. } => {
                for hash in hashes {
                    assert!(self.known.insert(*hash), "stored twice");
                }
            }
            KvEvent::Removed { hash } => {
                assert!(self.known.remove(hash), "removed what was not there")
            }
            KvEvent::Cleared => self.known.clear(),
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Submit {
        group: u32,
        prompt: usize,
        output: usize,
    },
    Step,
    Abort {
        nth: usize,
    },
    Reset,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0_u32..4, 1_usize..40, 1_usize..24)
            .prop_map(|(group, prompt, output)| Op::Submit { group, prompt, output }),
        8 => Just(Op::Step),
        1 => (0_usize..8).prop_map(|nth| Op::Abort { nth }),
        1 => Just(Op::Reset),
    ]
}

fn assert_consistent(engine: &EngineModel) {
    engine.pool.check();
    let held: usize = engine
        .sequences
        .values()
        .map(|sequence| sequence.blocks.len())
        .sum();
    assert_eq!(held, engine.pool.holds());
    assert!(
        engine.metrics().blocks_in_use + engine.metrics().blocks_idle <= engine.config.kv_blocks
    );
    assert_eq!(
        engine.sequences.len(),
        engine.running.len() + engine.waiting.len()
    );
    assert!(engine.running.len() <= engine.config.max_sequences as usize);
}

proptest! {
    #[test]
    fn blocks_never_leak_and_work_is_never_left_lying(ops in prop::collection::vec(op(), 1..120)) {
        let mut engine = engine(small(17));
        let mut listener = Listener::default();
        let mut now = Timestamp::ZERO;
        for (id, op) in (0_u64..).zip(ops) {
            match op {
                Op::Submit { group, prompt, output } => {
                    engine.submit(now, request(id, group * 1_000, prompt, output)).expect("at most 63 of 68 tokens");
                }
                Op::Step => {
                    if let Some(at) = engine.next_step_at() {
                        prop_assert!(at >= now, "time runs forward");
                        now = at;
                        let output = engine.step(at);
                        output.kv_events.iter().for_each(|event| listener.hear(event));
                        prop_assert!(engine.sequences.is_empty() || engine.step_has_work(), "work was left lying");
                    }
                }
                Op::Abort { nth } => {
                    let mut ids: Vec<RequestId> = engine.sequences.keys().copied().collect();
                    ids.sort();
                    if let Some(id) = ids.get(nth) {
                        prop_assert!(engine.abort(*id));
                        prop_assert!(!engine.abort(*id));
                    }
                }
                Op::Reset => engine.reset_prefix_cache(),
            }
            assert_consistent(&engine);
        }
        // A reset of an idle engine is told with the next step: let there be one.
        engine.submit(now, request(u64::MAX, 0, 1, 1)).expect("short");
        kv_events(&drain(&mut engine)).for_each(|event| listener.hear(event));
        assert_consistent(&engine);
        prop_assert_eq!(engine.metrics().blocks_in_use, 0);
        let metrics = engine.metrics();
        prop_assert_eq!(metrics.blocks_idle as usize, listener.known.len(), "events tell the whole cache");
    }
}

#[test]
fn equal_inputs_give_equal_histories() {
    let history = || {
        let mut rng = Rng::from_seed(11);
        let mut engine = engine(small(64));
        for id in 0..30 {
            let (prompt, output) = (1 + rng.below(60), 1 + rng.below(30));
            engine
                .submit(
                    Timestamp::ZERO,
                    request(id, rng.below(3) as u32 * 100, prompt, output),
                )
                .expect("fits");
        }
        drain(&mut engine)
    };
    assert_eq!(history(), history());
}
