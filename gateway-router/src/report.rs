//! What crosses the border to whatever wraps a route: hints in, one report out.

use std::{sync::Arc, time::Duration};

use gateway_core::Timestamp;
use gateway_proto::{ir::Usage, openai::Api};

use crate::{CleanupReport, ErrorKind, Goal, HedgeReport, PairReport};

/// What a wrapper knows of a request and the decision may use.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// A key shared by the requests of one conversation.
    pub session: Option<u64>,
    /// Label values that an endpoint must have.
    pub labels: Vec<(String, String)>,
    /// The time this request may take in all, where it is less than configured.
    pub total: Option<Duration>,
    /// What the request is to achieve; what is missing is taken from the settings.
    pub goal: Goal,
    /// A key of whoever asks, by which output lengths are learned; 0 where unknown. It must give away nothing.
    pub caller: u64,
    /// Whether the decision is to be explained.
    pub explain: bool,
    /// Endpoints not to be asked, by name.
    pub avoid: Vec<Arc<str>>,
}

/// Which of the engines' calls for one request: an answer may take several, side by side and one after another. A
/// request that takes one has the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leg {
    /// Which of the calls side by side, one for each prompt or choice.
    pub strand: u32,
    /// Which of the calls one after another; those from 1 on go on with an answer that has begun.
    pub number: u32,
    /// Whether another leg has the same prompt, and counts it.
    pub repeats_prompt: bool,
    /// When the first call began, where this one is later: the request's time runs from there.
    pub began: Option<Timestamp>,
    /// How it takes up what another endpoint failed, where it does.
    pub resumes: Option<Resumption>,
    /// How the caller asked, where engines are asked in other words; reports tell of this.
    pub asked: Option<Asked>,
}

/// How a caller asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The route it came by.
    pub api: Api,
    /// Whether it asked for a stream.
    pub stream: bool,
}

/// A call that takes up an answer from another one that an engine failed after it had begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumption {
    /// Which of those within the leg, from 1; each choice counts by itself.
    pub number: u32,
    /// What went wrong.
    pub cause: ErrorKind,
    /// Engines that have died on the answer at the place where it stands.
    pub deaths: u32,
    /// When the connection to the engine that wrote it was lost, where that is what went wrong.
    pub lost_at: Option<Timestamp>,
    /// Tokens that have to be computed again: the prompt, and what was written before. They are no part of what the
    /// caller is told of cost.
    pub recomputed_tokens: u64,
}

/// Why nobody took up an answer that an engine failed after it had begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// Part of an answer that is held to a form was shown; engines begin forms anew.
    Form,
    /// It had been taken up as often as allowed.
    Attempts,
    /// The budget was used up.
    Budget,
    /// Two engines died at the same place of it: the request itself may be what kills them.
    Deaths,
}

impl Stuck {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Form, Self::Attempts, Self::Budget, Self::Deaths];

    /// The name used in metrics and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Attempts => "attempts",
            Self::Budget => "budget",
            Self::Deaths => "deaths",
        }
    }
}

impl Leg {
    /// Whether it goes on with an answer that has begun.
    #[must_use]
    pub fn is_continuation(&self) -> bool {
        self.number > 0 || self.resumes.is_some()
    }

    /// Whether its prompt is one that the caller sent and no other leg counts.
    #[must_use]
    pub fn counts_prompt(&self) -> bool {
        !self.repeats_prompt && !self.is_continuation()
    }

    /// The request's id as an engine sees it: engines refuse an id that they are busy with.
    pub(crate) fn id(&self, request_id: &Arc<str>) -> Arc<str> {
        let Self { strand, number, .. } = self;
        match self.resumes {
            _ if request_id.is_empty() => Arc::clone(request_id),
            None if (*strand, *number) == (0, 0) => Arc::clone(request_id),
            None => format!("{request_id}-{strand}-{number}").into(),
            Some(taken) => format!("{request_id}-{strand}-{number}-{}", taken.number).into(),
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The engine answered and the reply went out whole.
    Completed,
    /// The engine or the router refused or failed; the caller got an error.
    Failed(ErrorKind),
    /// The engine failed in the middle of its answer, and another call takes that up.
    Resumed(ErrorKind),
    /// The caller left first.
    Cancelled,
}

/// Upper ends of the buckets in which gaps between chunks are counted, in microseconds. The last bucket is open.
pub const GAP_BUCKETS_MICROS: [u64; 12] = [
    1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 50_000, 75_000, 100_000, 250_000, 1_000_000,
    5_000_000,
];

/// The gaps between a stream's chunks (inter-token latency, as far as a router sees it).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// How many gaps.
    pub count: u32,
    /// Their sum in microseconds.
    pub sum_micros: u64,
    /// Gaps per bucket of [`GAP_BUCKETS_MICROS`], the open one last.
    pub buckets: [u32; GAP_BUCKETS_MICROS.len() + 1],
}

impl Gaps {
    /// Counts a gap.
    pub fn add(&mut self, micros: u64) {
        self.count += 1;
        self.sum_micros += micros;
        let bucket = GAP_BUCKETS_MICROS.partition_point(|&end| end < micros);
        self.buckets[bucket] += 1;
    }
}

/// One request's story, told once, when it is over; of a request that takes several legs one for each.
#[derive(Clone, Debug)]
pub struct RouteReport {
    /// The request's id.
    pub request_id: Arc<str>,
    /// Which of the request's calls it tells of.
    pub leg: Leg,
    /// The route it came by.
    pub api: Api,
    /// The model asked for.
    pub model: Arc<str>,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// The endpoint that served it last, if any was chosen.
    pub endpoint: Option<Arc<str>>,
    /// Attempts made.
    pub attempts: u32,
    /// How it ended.
    pub ending: Ending,
    /// Why nobody took up the answer, where it broke in the middle and might have been.
    pub stuck: Option<Stuck>,
    /// The HTTP status of the reply; `None` where the caller left before there was one. A stream that breaks later keeps
    /// the status it began with; an answer that its caller gets whole has that of its error.
    pub status: Option<u16>,
    /// How long it waited for an endpoint with room before it was placed or given up.
    pub queued: Duration,
    /// Time the decisions took, in microseconds, all attempts together.
    pub decision_micros: u64,
    /// Time from the router's receiving the request to the first event of a stream with something generated in it; replies
    /// that come whole have none.
    pub ttft: Option<Duration>,
    /// Time from the last decision to the first token, as predicted then.
    pub predicted_ttft: Option<Duration>,
    /// Time in all.
    pub total: Duration,
    /// Gaps between chunks.
    pub gaps: Gaps,
    /// Prompt tokens, estimated from the request.
    pub prompt_tokens_estimate: u32,
    /// Prompt tokens that the decision believed cached.
    pub cached_tokens_estimate: u32,
    /// What the engine counted.
    pub usage: Option<Usage>,
    /// What became of splitting it between two engines; `None` where that was out of the question.
    pub pair: Option<PairReport>,
    /// What became of a second engine beside a silent one; `None` where none was called for.
    pub hedge: Option<Box<HedgeReport>>,
}

/// Hears every report. Called on the request's own path when it ends (also when its task dies): be quick, never block.
pub trait ReportSink: Send + Sync {
    /// Takes a report.
    fn report(&self, report: &RouteReport);

    /// Takes a report of a leg of a pair that nobody wanted any more; forgotten where nobody says otherwise.
    fn cleanup(&self, _report: &CleanupReport) {}

    /// Takes a report of the edge; forgotten where nobody says otherwise.
    #[cfg(feature = "text")]
    fn edge(&self, _report: &crate::edge::EdgeReport) {}
}

/// Forgets every report.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReports;

impl ReportSink for NoReports {
    fn report(&self, _report: &RouteReport) {}
}
