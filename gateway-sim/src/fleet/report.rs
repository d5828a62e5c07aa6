//! What came of it.

use std::time::Duration;

use gateway_core::Timestamp;

use super::Arrival;
use crate::model::{ModelMetrics, RequestId};

/// The fate of all requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FleetReport {
    /// One record for each arrival, in their order.
    pub records: Vec<RequestRecord>,
    /// The times between two tokens of one request, over all requests (inter-token latency).
    pub gaps: Vec<Duration>,
    /// The metrics of each engine at the end, none for the dead. Those of a recovered engine start at its recovery.
    pub engines: Vec<Option<ModelMetrics>>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It got all its tokens.
    Finished,
    /// The policy chose no engine.
    Shed,
    /// The chosen engine was dead, or did not take it.
    Refused,
    /// Its engine died.
    Lost,
}

/// The fate of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRecord {
    /// Its name.
    pub id: RequestId,
    /// The engine that was chosen.
    pub engine: Option<usize>,
    /// How it ended.
    pub outcome: Outcome,
    /// When it came.
    pub arrived_at: Timestamp,
    /// When its first token came out.
    pub first_token_at: Option<Timestamp>,
    /// When its latest token came out.
    pub last_token_at: Option<Timestamp>,
    /// Tokens of its prompt.
    pub prompt_tokens: u32,
    /// Of these, what the engine had in its cache.
    pub cached_tokens: u32,
    /// Tokens it got.
    pub tokens: u32,
}

impl RequestRecord {
    pub(super) fn new(arrival: &Arrival) -> Self {
        Self {
            id: arrival.request.id,
            engine: None,
            outcome: Outcome::Shed,
            arrived_at: arrival.at,
            first_token_at: None,
            last_token_at: None,
            prompt_tokens: u32::try_from(arrival.request.prompt.len()).unwrap_or(u32::MAX),
            cached_tokens: 0,
            tokens: 0,
        }
    }

    /// Notes a token; the time since the one before.
    pub(super) fn token(&mut self, now: Timestamp) -> Option<Duration> {
        self.tokens += 1;
        self.first_token_at.get_or_insert(now);
        self.last_token_at
            .replace(now)
            .map(|before| now.since(before))
    }

    pub(super) fn finished(&mut self, now: Timestamp) {
        self.outcome = Outcome::Finished;
        self.last_token_at = Some(now);
    }

    /// Time to the first token.
    #[must_use]
    pub fn ttft(&self) -> Option<Duration> {
        self.first_token_at.map(|at| at.since(self.arrived_at))
    }

    /// Mean time of a token after the first, of finished requests with more than one.
    #[must_use]
    pub fn tpot(&self) -> Option<Duration> {
        let (first, last) = (self.first_token_at?, self.last_token_at?);
        let is_measured = self.outcome == Outcome::Finished && self.tokens > 1;
        is_measured.then(|| last.since(first) / (self.tokens - 1))
    }

    /// Time to the last token, of finished requests.
    #[must_use]
    pub fn e2e(&self) -> Option<Duration> {
        let is_finished = self.outcome == Outcome::Finished;
        self.last_token_at
            .filter(|_| is_finished)
            .map(|at| at.since(self.arrived_at))
    }
}

/// Some durations in short. All zero where there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many there are.
    pub count: usize,
    /// Their mean.
    pub mean: Duration,
    /// Half are no longer.
    pub p50: Duration,
    /// Nine in ten are no longer.
    pub p90: Duration,
    /// Ninety-nine in a hundred are no longer.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Summary {
    /// The summary of these durations.
    #[must_use]
    pub fn of(durations: impl IntoIterator<Item = Duration>) -> Self {
        let mut all: Vec<Duration> = durations.into_iter().collect();
        all.sort_unstable();
        let (Some(max), Ok(count)) = (all.last().copied(), u32::try_from(all.len())) else {
            return Self::default();
        };
        // The nearest rank: the least value that so many in a hundred do not pass.
        let rank = |percent: usize| all[(all.len() * percent).div_ceil(100).saturating_sub(1)];
        let mean = all.iter().sum::<Duration>() / count;
        Self {
            count: all.len(),
            mean,
            p50: rank(50),
            p90: rank(90),
            p99: rank(99),
            max,
        }
    }
}

impl FleetReport {
    /// Times to the first token.
    #[must_use]
    pub fn ttft(&self) -> Summary {
        Summary::of(self.records.iter().filter_map(RequestRecord::ttft))
    }

    /// Times between two tokens.
    #[must_use]
    pub fn itl(&self) -> Summary {
        Summary::of(self.gaps.iter().copied())
    }

    /// Mean times of a token after the first.
    #[must_use]
    pub fn tpot(&self) -> Summary {
        Summary::of(self.records.iter().filter_map(RequestRecord::tpot))
    }

    /// Times to the last token.
    #[must_use]
    pub fn e2e(&self) -> Summary {
        Summary::of(self.records.iter().filter_map(RequestRecord::e2e))
    }

    /// How many requests ended so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.records
            .iter()
            .filter(|record| record.outcome == outcome)
            .count()
    }

    /// The share of prompt tokens that were in the cache, 0 to 1.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        let sum = |tokens: fn(&RequestRecord) -> u32| {
            self.records
                .iter()
                .map(|r| f64::from(tokens(r)))
                .sum::<f64>()
        };
        sum(|record| record.cached_tokens) / sum(|record| record.prompt_tokens).max(1.0)
    }

    /// The share of all requests that finished within both objectives, 0 to 1.
    #[must_use]
    pub fn goodput(&self, ttft: Duration, tpot: Duration) -> f64 {
        let is_good = |record: &&RequestRecord| {
            record.outcome == Outcome::Finished
                && record.ttft().is_some_and(|time| time <= ttft)
                && record.tpot().is_none_or(|time| time <= tpot)
        };
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let share = |count: usize| count as f64 / self.records.len().max(1) as f64;
        share(self.records.iter().filter(is_good).count())
    }
}
