//! One engine: its batch, its queue, its memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use gateway_core::decider::TelemetryNote;

use super::ReplayEngine;
use super::gaps::Gaps;
use super::memory::Memory;
use super::report::EngineReport;
use super::sequence::{Job, Part, Sequence, Stage};

/// The place of a sequence in its engine.
pub(super) type Place = u32;

/// An engine in virtual time.
///
/// All decoding sequences advance in every step, so that none is touched but those to which something happens: each
/// has one entry in `due`, for the step before which it needs a block or after which it ends.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) spec: ReplayEngine,
    pub(super) id: u32,
    pub(super) block_tokens: u32,
    pub(super) memory: Memory,
    pub(super) sequences: Vec<Sequence>,
    vacant: Vec<Place>,
    pub(super) waiting: VecDeque<Place>,
    /// The batch, by admission.
    pub(super) running: BTreeMap<u64, Place>,
    /// Those of the batch that compute their prompts, by admission.
    pub(super) prompts: Vec<Place>,
    /// Decoding sequences.
    pub(super) decodes: u32,
    /// Tokens of context among them.
    pub(super) context: u64,
    /// When something happens to a decoding sequence: after how many steps, its stamp, its place.
    pub(super) due: BinaryHeap<Reverse<(u64, u64, Place)>>,
    /// Decoding sequences that need a block before the next step: stamp and place.
    pub(super) short: Vec<(u64, Place)>,
    /// Whether the first of the queue was refused blocks, and nothing has changed since.
    pub(super) is_blocked: bool,
    /// The step under way.
    pub(super) step: Option<Step>,
    /// When that step ends, or the engine starts with what it has; none while it sleeps.
    pub(super) step_at: Option<f64>,
    /// Steps done.
    pub(super) steps: u64,
    pub(super) admissions: u64,
    /// Sequences whose KV cache will leave.
    pub(super) handoffs: u32,
    pub(super) counts: Counts,
}

/// A step under way.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) start: f64,
    pub(super) end: f64,
    /// Prompt tokens computed, and whose.
    pub(super) chunks: Vec<(Place, u32)>,
}

/// What an engine counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) report: EngineReport,
    /// Prompt tokens of the requests that got through.
    pub(super) prompt_tokens: u64,
    /// Blocks in use times seconds, up to `since`.
    pub(super) block_seconds: f64,
    pub(super) since: f64,
    pub(super) blocks: u32,
}

/// What happens to a request inside an engine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    /// It entered the batch for the first time.
    Admitted { request: u32, cached: u32 },
    /// It lost its place in the batch.
    Preempted { request: u32 },
    /// Its prompt is computed, and its blocks wait to be sent.
    PrefillDone {
        request: u32,
        cached: u32,
        place: Place,
    },
    /// Its first token came out.
    FirstToken { request: u32, cached: u32 },
    /// Its last token came out.
    Finished { request: u32, output: u32 },
}

/// Where the effects of steps go.
#[derive(Debug)]
pub(super) struct Effects {
    pub(super) signals: Vec<Signal>,
    pub(super) gaps: Gaps,
}

impl Engine {
    pub(super) fn new(spec: &ReplayEngine, id: u32, block_tokens: u32) -> Self {
        Self {
            spec: spec.clone(),
            id,
            block_tokens,
            memory: Memory::new(spec.kv_blocks, spec.host.map_or(0, |host| host.blocks)),
            sequences: Vec::new(),
            vacant: Vec::new(),
            waiting: VecDeque::new(),
            running: BTreeMap::new(),
            prompts: Vec::new(),
            decodes: 0,
            context: 0,
            due: BinaryHeap::new(),
            short: Vec::new(),
            is_blocked: false,
            step: None,
            step_at: None,
            steps: 0,
            admissions: 0,
            handoffs: 0,
            counts: Counts::default(),
        }
    }

    /// Whether it could ever do a job.
    pub(super) fn can_hold(&self, job: &Job) -> bool {
        let output = match job.part {
            Part::Prefill => 0,
            // The last token that comes out is never computed.
            Part::Whole | Part::Decode => job.output - 1,
        };
        let tokens = u64::from(job.input) + u64::from(output);
        tokens.div_ceil(u64::from(self.block_tokens)) <= u64::from(self.spec.kv_blocks)
    }

    /// Queues a job.
    pub(super) fn submit(&mut self, job: Job) {
        self.handoffs += u32::from(job.part == Part::Prefill);
        let sequence = Sequence::new(job);
        let place = if let Some(place) = self.vacant.pop() {
            self.sequences[place as usize] = sequence;
            place
        } else {
            self.sequences.push(sequence);
            Place::try_from(self.sequences.len() - 1).expect("requests are numbered in 32 bits")
        };
        self.waiting.push_back(place);
    }

    /// Gives up the blocks of a sequence that were sent.
    pub(super) fn release_parked(&mut self, now: f64, place: Place) {
        self.leave(place);
        self.count_blocks(now);
    }

    /// Its gauges and counters.
    pub(super) fn telemetry(&self, now: f64) -> TelemetryNote {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let float = |count: u64| count as f64;
        TelemetryNote {
            now,
            engine: self.id,
            running: Some(float(self.running.len() as u64)),
            waiting: Some(float(self.waiting.len() as u64)),
            kv_usage: Some(f64::from(self.memory.in_use()) / f64::from(self.spec.kv_blocks)),
            prompt_tokens_total: Some(float(self.counts.prompt_tokens)),
            generation_tokens_total: Some(float(self.counts.report.generated_tokens)),
        }
    }

    /// What it did until `now`; shares are of the time since `start`.
    pub(super) fn report(&mut self, start: f64, now: f64) -> EngineReport {
        self.count_blocks(now);
        let share = |seconds: f64| {
            if now > start {
                seconds / (now - start)
            } else {
                0.0
            }
        };
        let mut report = self.counts.report.clone();
        report.role = self.spec.role;
        report.busy_share = share(report.busy_seconds);
        let capacity = f64::from(self.spec.kv_blocks);
        report.kv_mean = share(self.counts.block_seconds) / capacity;
        report.kv_peak = f64::from(report.blocks_peak) / capacity;
        report
    }

    /// Notes the blocks in use, which may have changed now.
    pub(super) fn count_blocks(&mut self, now: f64) {
        let counts = &mut self.counts;
        if counts.blocks == self.memory.in_use() {
            return;
        }
        counts.block_seconds += f64::from(counts.blocks) * (now - counts.since);
        counts.since = now;
        counts.blocks = self.memory.in_use();
        counts.report.blocks_peak = counts.report.blocks_peak.max(counts.blocks);
    }

    /// Takes a sequence out of the engine, with its blocks.
    pub(super) fn leave(&mut self, place: Place) {
        let sequence = &mut self.sequences[place as usize];
        self.memory.release(&mut sequence.holding);
        self.running.remove(&sequence.stamp);
        sequence.stamp = 0;
        self.vacant.push(place);
        self.is_blocked = false;
    }

    /// Lets a sequence decode from the next step on.
    pub(super) fn join(&mut self, place: Place) {
        let steps = self.steps;
        let sequence = &mut self.sequences[place as usize];
        sequence.finish = steps + u64::from(sequence.job.output - sequence.generated);
        sequence.joined = steps;
        self.decodes += 1;
        self.context += u64::from(sequence.len());
        sequence.stage = Stage::Decoding;
        self.expect_next(place);
    }

    /// Notes when something happens next to a decoding sequence.
    pub(super) fn expect_next(&mut self, place: Place) {
        let sequence = &self.sequences[place as usize];
        let room = u64::from(sequence.holding.blocks()) * u64::from(self.block_tokens);
        // Before step number `joined + i` it knows `len + i` tokens, all of which need room.
        let until = (room + 1).saturating_sub(u64::from(sequence.len()));
        let due = (sequence.joined + until).min(sequence.finish);
        if due <= self.steps {
            self.short.push((sequence.stamp, place));
        } else {
            self.due.push(Reverse((due, sequence.stamp, place)));
        }
    }
}

#[cfg(test)]
impl Engine {
    /// Panics where blocks, batch and running sums contradict each other.
    pub(super) fn check(&self) {
        let live = || {
            let vacant = |place| self.vacant.contains(&place);
            (0..)
                .zip(&self.sequences)
                .filter(move |(place, _)| !vacant(*place))
                .map(|(_, sequence)| sequence)
        };
        self.memory.check(live().map(|sequence| &sequence.holding));
        let decoding = || live().filter(|sequence| sequence.stage == Stage::Decoding);
        let context = decoding()
            .map(|sequence| u64::from(sequence.job.input + sequence.generated_after(self.steps)));
        assert_eq!(self.context, context.sum::<u64>());
        assert_eq!(self.decodes as usize, decoding().count());
        assert_eq!(
            self.decodes as usize + self.prompts.len(),
            self.running.len()
        );
        let parked = live().filter(|sequence| sequence.stage == Stage::Parked);
        assert_eq!(
            live().count(),
            self.running.len() + self.waiting.len() + parked.count()
        );
        if live().count() == 0 {
            assert_eq!(self.memory.in_use(), 0);
        }
    }
}
