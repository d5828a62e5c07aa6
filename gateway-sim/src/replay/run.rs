//! The replay itself.

use std::sync::Arc;

use gateway_core::decider::{Answer, Finish, FirstToken, Init, PrefillDone};

use super::agenda::Agenda;
use super::candidates::Candidates;
use super::check::check;
use super::engine::{Effects, Engine, Signal};
use super::event::{Event, Kind};
use super::mail::Mail;
use super::sequence::{Job, Part};
use super::{FleetSpec, Gaps, ReplayError, ReplayRecord, ReplayReport, Router, TraceRequest};

/// How often a request may be held before it counts as rejected.
const MOST_HOLDS: u32 = 1_000;

/// Plays a trace against a fleet under a router, until every request has ended.
///
/// Nothing waits and nothing is random: equal inputs and a deterministic router give equal reports. Requests are
/// numbered by their place in `trace`, which need not be sorted; `progress` hears after each arrival how many came.
///
/// Decoding sequences always all advance, so an engine runs at most `batch_tokens` sequences.
///
/// # Errors
///
/// Where the fleet or the trace makes no sense, or the router's answer names an engine that is not there or cannot do
/// what is asked.
pub fn replay(
    fleet: &FleetSpec,
    trace: &[TraceRequest],
    router: &mut dyn Router,
    progress: &mut dyn FnMut(usize),
) -> Result<ReplayReport, ReplayError> {
    Run::new(fleet, trace, router, true)?.play(progress)
}

/// A replay under way.
pub(super) struct Run<'a> {
    fleet: &'a FleetSpec,
    trace: &'a [TraceRequest],
    router: &'a mut dyn Router,
    candidates: Candidates,
    pub(super) engines: Vec<Engine>,
    agenda: Agenda,
    mail: Mail,
    effects: Effects,
    records: Vec<ReplayRecord>,
    /// Until when each engine's link is busy.
    links: Vec<f64>,
    arrived: usize,
    /// Requests that came and have not ended.
    open: usize,
    /// When the first request comes.
    start: f64,
    last_end: f64,
    /// Whether steps that only decode are taken in one go.
    leaps: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        fleet: &'a FleetSpec,
        trace: &'a [TraceRequest],
        router: &'a mut dyn Router,
        leaps: bool,
    ) -> Result<Self, ReplayError> {
        check(fleet, trace)?;
        let numbered = || (0..).zip(&fleet.engines);
        router.init(&Init {
            block_size: fleet.block_tokens,
            engines: numbered()
                .map(|(id, engine)| engine.note(id, fleet.nameplates))
                .collect(),
        });
        let mut agenda = Agenda::new(trace);
        let start = agenda.first_arrival();
        if fleet.telemetry_every_seconds > 0.0 {
            agenda.add(start, Kind::Sample);
        }
        Ok(Self {
            fleet,
            trace,
            router,
            candidates: Candidates::of(fleet),
            engines: numbered()
                .map(|(id, engine)| Engine::new(engine, id, fleet.block_tokens))
                .collect(),
            agenda,
            mail: Mail::new(fleet),
            effects: Effects {
                signals: Vec::new(),
                gaps: Gaps::new(),
            },
            records: trace.iter().map(ReplayRecord::new).collect(),
            links: vec![0.0; fleet.engines.len()],
            arrived: 0,
            open: 0,
            start,
            last_end: start,
            leaps,
        })
    }

    pub(super) fn play(
        mut self,
        progress: &mut dyn FnMut(usize),
    ) -> Result<ReplayReport, ReplayError> {
        while self.turn(progress)? {}
        Ok(self.report())
    }

    /// Lets the next thing happen; false where nothing is left.
    pub(super) fn turn(&mut self, progress: &mut dyn FnMut(usize)) -> Result<bool, ReplayError> {
        let Some(Event { at: now, kind }) = self.agenda.pop() else {
            return Ok(false);
        };
        self.mail.deliver(now, self.router);
        match kind {
            Kind::Arrival { request } => {
                self.arrived += 1;
                self.open += 1;
                self.place(now, request, 0)?;
                progress(self.arrived);
            }
            Kind::Retry { request, tries } => self.place(now, request, tries)?,
            Kind::Sent { request, place } => self.sent(now, request, place),
            Kind::Sample => self.sample(now),
            Kind::Step { engine } => self.step(now, engine),
        }
        Ok(true)
    }

    pub(super) fn report(mut self) -> ReplayReport {
        let (start, end) = (self.start, self.last_end);
        ReplayReport {
            records: self.records,
            gaps: self.effects.gaps,
            engines: self
                .engines
                .iter_mut()
                .map(|engine| engine.report(start, end))
                .collect(),
            makespan_seconds: end - start,
        }
    }

    /// Asks where a request goes, for the time after so many.
    fn place(&mut self, now: f64, request: u32, tries: u32) -> Result<(), ReplayError> {
        let asked = u64::from(request);
        let ask = self
            .candidates
            .ask(request, &self.trace[request as usize], now);
        let answer = self.router.route(&ask);
        let answered = match answer {
            Answer::Engine { id, .. }
            | Answer::Pair { id, .. }
            | Answer::Hold { id, .. }
            | Answer::Reject { id, .. } => id,
        };
        if answered != asked {
            return Err(ReplayError::OtherRequest { asked, answered });
        }
        match answer {
            Answer::Engine { engine, .. } => self.send(now, request, engine, engine),
            Answer::Pair {
                prefill, decode, ..
            } => self.send(now, request, prefill, decode),
            Answer::Hold { hold_ms, .. } if tries < MOST_HOLDS => {
                #[expect(clippy::cast_precision_loss, reason = "a span, not a count")]
                let at = now + hold_ms as f64 / 1_000.0;
                let tries = tries + 1;
                self.agenda.add(at, Kind::Retry { request, tries });
                Ok(())
            }
            Answer::Hold { .. } | Answer::Reject { .. } => {
                self.reject(request);
                Ok(())
            }
        }
    }

    /// Queues a request at the engine of its prompt.
    fn send(
        &mut self,
        now: f64,
        request: u32,
        prefill: u32,
        decode: u32,
    ) -> Result<(), ReplayError> {
        for engine in [prefill, decode] {
            if engine as usize >= self.engines.len() {
                let request = u64::from(request);
                return Err(ReplayError::UnknownEngine { request, engine });
            }
        }
        let is_split = prefill != decode;
        if is_split && self.fleet.engines[prefill as usize].nic_gbs <= 0.0 {
            return Err(ReplayError::NoLink {
                request: u64::from(request),
                engine: prefill,
            });
        }
        let record = &mut self.records[request as usize];
        record.engine = Some(decode);
        record.prefill_engine = is_split.then_some(prefill);
        let parts: &[(u32, Part)] = if is_split {
            &[(prefill, Part::Prefill), (decode, Part::Decode)]
        } else {
            &[(decode, Part::Whole)]
        };
        if let Some(&(engine, _)) = parts.iter().find(|(engine, part)| {
            !self.engines[*engine as usize].can_hold(&self.job(request, *part))
        }) {
            self.refuse(now, request, engine);
            return Ok(());
        }
        self.submit(now, prefill, self.job(request, parts[0].1));
        Ok(())
    }

    fn job(&self, request: u32, part: Part) -> Job {
        let traced = &self.trace[request as usize];
        Job {
            request,
            input: traced.input_tokens,
            output: traced.output_tokens,
            blocks: Arc::clone(&traced.blocks),
            part,
        }
    }

    /// An engine too small for a request says so at once; the router hears of its end.
    fn refuse(&mut self, now: f64, request: u32, engine: u32) {
        self.reject(request);
        self.router.finish(&Finish {
            now,
            id: u64::from(request),
            engine,
            output: Some(0),
        });
    }

    fn reject(&mut self, request: u32) {
        self.records[request as usize].rejected = true;
        self.open -= 1;
    }

    fn submit(&mut self, now: f64, engine: u32, job: Job) {
        self.engines[engine as usize].submit(job);
        self.wake(now, engine);
    }

    /// Lets an engine start if it does nothing.
    fn wake(&mut self, now: f64, engine: u32) {
        let sleeper = &mut self.engines[engine as usize];
        if sleeper.step_at.is_none() && !sleeper.waiting.is_empty() {
            sleeper.step_at = Some(now);
            self.agenda.add(now, Kind::Step { engine });
        }
    }

    fn sample(&mut self, now: f64) {
        for engine in &self.engines {
            self.mail.send_telemetry(engine.telemetry(now));
        }
        if self.open > 0 || self.arrived < self.trace.len() {
            self.agenda
                .add(now + self.fleet.telemetry_every_seconds, Kind::Sample);
        }
    }

    fn step(&mut self, now: f64, engine: u32) {
        let horizon = self.horizon();
        let stepped = &mut self.engines[engine as usize];
        stepped.step_at = None;
        let next = stepped.advance(now, horizon, &mut self.effects);
        stepped.step_at = next;
        if let Some(note) = stepped.memory.changes.take(now, engine) {
            self.mail.send_kv(note);
        }
        if let Some(at) = next {
            self.agenda.add(at, Kind::Step { engine });
        }
        self.tell(now, engine);
    }

    /// Until when an engine may run on without asking what others did: the next event from outside, or the end of a step
    /// that may send something to it.
    fn horizon(&self) -> f64 {
        if !self.leaps {
            return f64::NEG_INFINITY;
        }
        self.engines
            .iter()
            .filter(|engine| engine.handoffs > 0)
            .filter_map(|engine| engine.step_at)
            .fold(self.agenda.horizon(), f64::min)
    }

    /// Records what happened in a step, and tells the router.
    fn tell(&mut self, now: f64, engine: u32) {
        let mut signals = std::mem::take(&mut self.effects.signals);
        for signal in signals.drain(..) {
            self.tell_one(now, engine, signal);
        }
        self.effects.signals = signals;
    }

    fn tell_one(&mut self, now: f64, engine: u32, signal: Signal) {
        match signal {
            Signal::Admitted { request, cached } => {
                let record = &mut self.records[request as usize];
                if record.prefill_engine.unwrap_or(engine) == engine {
                    record.cached_tokens = cached;
                }
            }
            Signal::Preempted { request } => self.records[request as usize].preemptions += 1,
            Signal::PrefillDone {
                request,
                cached,
                place,
            } => self.prefill_done(now, engine, request, cached, place),
            Signal::FirstToken { request, cached } => {
                self.records[request as usize].first_token_seconds = Some(now);
                self.router.first_token(&FirstToken {
                    now,
                    id: u64::from(request),
                    engine,
                    cached: Some(cached),
                });
            }
            Signal::Finished { request, output } => self.finished(now, engine, request, output),
        }
    }

    fn finished(&mut self, now: f64, engine: u32, request: u32, output: u32) {
        let record = &mut self.records[request as usize];
        record.finished_seconds = Some(now);
        record.output_tokens = output;
        self.open -= 1;
        self.last_end = self.last_end.max(now);
        self.router.finish(&Finish {
            now,
            id: u64::from(request),
            engine,
            output: Some(output),
        });
    }

    /// A prompt's KV cache leaves over its engine's link, after what is on its way.
    fn prefill_done(&mut self, now: f64, engine: u32, request: u32, cached: u32, place: u32) {
        self.router.prefill_done(&PrefillDone {
            now,
            id: u64::from(request),
            engine,
            cached: Some(cached),
        });
        let spec = &self.fleet.engines[engine as usize];
        let bytes = f64::from(self.trace[request as usize].input_tokens) * spec.kv_bytes_per_token;
        let link = &mut self.links[engine as usize];
        *link = link.max(now) + bytes / (spec.nic_gbs * 1e9);
        self.agenda.add(*link, Kind::Sent { request, place });
    }

    fn sent(&mut self, now: f64, request: u32, place: u32) {
        let record = &self.records[request as usize];
        let prefill = record.prefill_engine.expect("only split requests are sent");
        let decode = record.engine.expect("a request that is sent has engines");
        self.engines[prefill as usize].release_parked(now, place);
        self.wake(now, prefill);
        self.submit(now, decode, self.job(request, Part::Decode));
    }
}
