//! A request in flight: the one guard that releases its load and tells its story, whatever happens.

use std::{sync::Arc, time::Duration};

use gateway_core::{EndpointId, Pipeline, Placement, Timestamp, health::Outcome, span_of_millis};
use gateway_proto::ir::Usage;

use super::{
    load::{Attempt, LegLoad, outcome_of},
    pair::{Broken, Side},
    work::Subject,
};
use crate::{
    Clock, Ending, ErrorKind, Gaps, HedgeOutcome, PairOutcome, ReportSink, RouteError, RouteReport,
    snapshot::Snapshot,
};

/// Lives from the request's coming to its end. Dropped without an ending it counts as cancelled by the caller.
pub(super) struct Flight {
    pub(super) report: RouteReport,
    /// The prompt's half of a pair, while it is computed elsewhere.
    prefill: Option<Box<LegLoad>>,
    current: Option<Attempt>,
    sink: Arc<dyn ReportSink>,
    clock: Clock,
    began: Timestamp,
}

impl Flight {
    pub(super) fn begin(subject: &Subject<'_>, sink: Arc<dyn ReportSink>, clock: Clock) -> Self {
        let report = RouteReport {
            request_id: Arc::clone(subject.request_id),
            leg: subject.leg,
            api: subject.api,
            model: Arc::from(subject.model),
            stream: subject.stream,
            endpoint: None,
            attempts: 0,
            ending: Ending::Cancelled,
            stuck: None,
            status: None,
            queued: Duration::ZERO,
            decision_micros: 0,
            ttft: None,
            predicted_ttft: None,
            total: Duration::ZERO,
            gaps: Gaps::default(),
            prompt_tokens_estimate: subject.prompt_tokens,
            cached_tokens_estimate: 0,
            usage: None,
            pair: None,
            hedge: None,
        };
        Self {
            report,
            prefill: None,
            current: None,
            sink,
            clock,
            began: subject.leg.began.unwrap_or_else(|| clock.now()),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The endpoint of the attempt in flight.
    pub(super) fn endpoint_id(&self) -> Option<EndpointId> {
        self.current.as_ref().map(Attempt::endpoint_id)
    }

    /// How long the request has been here.
    pub(super) fn age(&self) -> Duration {
        self.now().since(self.began)
    }

    /// A decision that began then is over.
    pub(super) fn decided(&mut self, began: Timestamp) {
        let took = self.now().since(began).as_micros();
        self.report.decision_micros += u64::try_from(took).unwrap_or(u64::MAX);
    }

    /// An endpoint was chosen: its load is this flight's from here on.
    pub(super) fn placed(
        &mut self,
        placement: Placement,
        pipeline: &Arc<Pipeline>,
        snapshot: &Snapshot,
    ) {
        self.report.attempts += 1;
        self.own(Attempt::begin(placement, pipeline, snapshot, self.now()));
    }

    fn own(&mut self, mut attempt: Attempt) {
        if self.report.leg.is_continuation() {
            attempt.placement.is_part();
        }
        let placement = &attempt.placement;
        self.report.endpoint = Some(Arc::from(placement.endpoint().name()));
        self.report.cached_tokens_estimate = placement.cached_tokens();
        self.report.predicted_ttft = Some(span_of_millis(placement.forecast().ttft_ms));
        self.current = Some(attempt);
    }

    /// A second endpoint was chosen beside the one that is silent. Which of the two serves the request is to be seen.
    pub(super) fn placed_beside(
        &mut self,
        placement: Placement,
        pipeline: &Arc<Pipeline>,
        snapshot: &Snapshot,
    ) -> Box<LegLoad> {
        self.report.attempts += 1;
        let attempt = Attempt::begin(placement, pipeline, snapshot, self.now());
        Box::new(LegLoad::of(attempt, self.clock))
    }

    /// The request is the second endpoint's from here on. The first one is not to blame for what it had no time to do.
    pub(super) fn move_to(&mut self, second: Box<LegLoad>) {
        self.end_attempt(Outcome::Neutral, None);
        if let Some(attempt) = second.into_attempt() {
            self.own(attempt);
        }
    }

    pub(super) fn hedge_ended(&mut self, outcome: HedgeOutcome) {
        if let Some(hedge) = &mut self.report.hedge {
            hedge.outcome = outcome;
        }
    }

    /// Two endpoints were chosen: the load of both is this flight's.
    pub(super) fn placed_pair(
        &mut self,
        (prefill, of_prefill): (Placement, &Arc<Pipeline>),
        (decode, of_decode): (Placement, &Arc<Pipeline>),
        snapshot: &Snapshot,
    ) {
        let name = |placement: &Placement| Arc::from(placement.endpoint().name());
        let transfer = snapshot.transfer(prefill.endpoint().id());
        let pair = self.report.pair.get_or_insert_default();
        pair.outcome = PairOutcome::Underway;
        pair.tried += 1;
        pair.legs = transfer.map(|by| (name(&prefill), name(&decode), by.connector));
        let cached = prefill.cached_tokens().max(decode.cached_tokens());
        let now = self.now();
        let attempt = Attempt::begin(prefill, of_prefill, snapshot, now);
        self.prefill = Some(Box::new(LegLoad::of(attempt, self.clock)));
        self.placed(decode, of_decode, snapshot);
        self.report.cached_tokens_estimate = cached;
    }

    pub(super) fn prefill_sent(&mut self) {
        let now = self.now();
        if let Some(attempt) = self.prefill.as_mut().and_then(|load| load.attempt()) {
            attempt.sent = now;
        }
    }

    pub(super) fn decode_sent(&mut self) {
        let now = self.now();
        let prefill_ms = self.prefill_left_ms(now);
        if let Some(attempt) = &mut self.current {
            attempt.sent = now;
            attempt.placement.handed_over(prefill_ms, now);
        }
    }

    /// What the other half of the pair is predicted to take from now on, the transfer included, in milliseconds.
    fn prefill_left_ms(&self, now: Timestamp) -> f64 {
        let prefill = self.prefill.as_ref().and_then(|load| load.lent());
        prefill.map_or(0.0, |attempt| {
            let forecast = attempt.placement.forecast();
            let passed_ms = now.since(attempt.sent).as_secs_f64() * 1_000.0;
            (forecast.ttft_ms - passed_ms).max(0.0) + forecast.transfer_ms
        })
    }

    /// The decode leg has begun to answer.
    pub(super) fn decode_began(&mut self) {
        let now = self.now();
        let took = self.current.as_ref().map(|attempt| now.since(attempt.sent));
        if let Some(pair) = &mut self.report.pair {
            pair.decode_took = took;
        }
    }

    /// The prefill leg is over.
    pub(super) fn prefill_over(&mut self, outcome: Outcome) {
        let Some(load) = self.prefill.take() else {
            return;
        };
        let took = load.took();
        load.over(outcome);
        if let Some(pair) = &mut self.report.pair {
            pair.prefill_took = took;
        }
    }

    /// The prefill leg goes on without this flight.
    pub(super) fn take_prefill(&mut self) -> Option<Box<LegLoad>> {
        self.prefill.take()
    }

    /// The decode leg is on its way, and may go on without this flight.
    pub(super) fn lend_decode(&mut self) -> Option<Box<LegLoad>> {
        let attempt = self.current.take()?;
        Some(Box::new(LegLoad::of(attempt, self.clock)))
    }

    /// The decode leg is over, or its answer is this flight's.
    pub(super) fn take_back(&mut self, load: Box<LegLoad>) {
        self.current = load.into_attempt();
    }

    pub(super) fn pair_ended(&mut self, outcome: PairOutcome) {
        self.report.pair.get_or_insert_default().outcome = outcome;
    }

    /// The prefill leg's answer is the caller's.
    pub(super) fn finished_at_prefill(&mut self) {
        self.pair_ended(PairOutcome::Finished);
        self.end_attempt(Outcome::Neutral, None);
        let legs = self
            .report
            .pair
            .as_ref()
            .and_then(|pair| pair.legs.as_ref());
        if let Some((prefill, ..)) = legs {
            self.report.endpoint = Some(Arc::clone(prefill));
        }
    }

    /// The pair was given up. Only the engine that is to blame is the worse for it.
    pub(super) fn pair_failed(&mut self, broken: &Broken) {
        let blamed = outcome_of(broken.error.kind());
        let (prefill, decode) = match broken.side {
            Side::Prefill => (blamed, Outcome::Neutral),
            Side::Decode => (Outcome::Neutral, blamed),
            Side::Fetching | Side::Either | Side::Neither => (Outcome::Neutral, Outcome::Neutral),
        };
        self.prefill_over(prefill);
        self.end_attempt(decode, None);
        self.pair_ended(PairOutcome::SinglePhase(broken.fault));
    }

    /// The first of what is generated is there; `cached_tokens` is what the engine found in its cache, where it said so
    /// already.
    pub(super) fn first_token(&mut self, cached_tokens: Option<u32>) {
        let now = self.now();
        if self.report.ttft.is_none() && !self.report.leg.is_continuation() {
            self.report.ttft = Some(now.since(self.began));
        }
        if let Some(attempt) = &mut self.current {
            attempt.first_token(cached_tokens, now);
        }
    }

    /// Something generated has come.
    pub(super) fn heard(&self, now: Timestamp) {
        if let Some(attempt) = &self.current {
            attempt.placement.endpoint().state().heard(now);
        }
    }

    /// The attempt failed; its load is released, another one may follow.
    pub(super) fn attempt_failed(&mut self, error: &RouteError) {
        self.end_attempt(outcome_of(error.kind()), None);
    }

    /// The request ended well. `counted` is how many tokens seem to have come out, for engines that do not say.
    pub(super) fn complete(&mut self, usage: Option<Usage>, counted: Option<u32>) {
        self.report.usage = usage;
        self.report.ending = Ending::Completed;
        self.end_attempt(Outcome::Served, counted);
    }

    /// The engine failed in the middle of an answer that another call takes up.
    pub(super) fn resumed(&mut self, kind: ErrorKind, usage: Usage) {
        self.report.usage = Some(usage);
        self.report.ending = Ending::Resumed(kind);
        self.end_attempt(outcome_of(kind), None);
    }

    /// What breaks an answer that has begun. A caller who gets it whole gets the error in its place.
    pub(super) fn break_off(&mut self, error: &RouteError, usage: Option<Usage>) {
        if !self.caller_streams() {
            self.report.status = Some(error.to_api().status);
        }
        self.fail(error.kind(), usage);
    }

    /// The request ended with an error that the caller is told.
    pub(super) fn fail(&mut self, kind: ErrorKind, usage: Option<Usage>) {
        self.report.usage = usage;
        self.report.ending = Ending::Failed(kind);
        self.end_attempt(outcome_of(kind), None);
    }

    fn caller_streams(&self) -> bool {
        let asked = self.report.leg.asked;
        asked.map_or(self.report.stream, |asked| asked.stream)
    }

    fn end_attempt(&mut self, outcome: Outcome, counted: Option<u32>) {
        let Some(attempt) = self.current.take() else {
            return;
        };
        let told = self.report.usage;
        let output_tokens = told
            .and_then(|usage| u32::try_from(usage.completion_tokens).ok())
            .or(counted);
        attempt.end(outcome, output_tokens, self.now());
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.end_attempt(Outcome::Neutral, None);
        self.report.total = self.age();
        if let Some(asked) = self.report.leg.asked {
            (self.report.api, self.report.stream) = (asked.api, asked.stream);
        }
        self.sink.report(&self.report);
    }
}

impl std::fmt::Debug for Flight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight")
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}
