//! The replay itself.

use gateway_core::decider::Init;

use super::agenda::Agenda;
use super::candidates::Candidates;
use super::check::check;
use super::engine::{Effects, Engine};
use super::event::{Event, Kind};
use super::mail::Mail;
use super::{FleetSpec, Gaps, ReplayError, ReplayRecord, ReplayReport, Router, TraceRequest};

/// Virtual time ends here, after some thirty years: what takes longer takes forever.
const LAST_SECONDS: f64 = 1e9;

/// Samples are left out where nothing happens for longer than this.
const QUIET_SECONDS: f64 = 60.0;

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
    pub(super) fleet: &'a FleetSpec,
    pub(super) trace: &'a [TraceRequest],
    pub(super) router: &'a mut dyn Router,
    pub(super) candidates: Candidates,
    pub(super) engines: Vec<Engine>,
    pub(super) agenda: Agenda,
    mail: Mail,
    pub(super) effects: Effects,
    pub(super) records: Vec<ReplayRecord>,
    /// Until when each engine's link is busy.
    pub(super) links: Vec<f64>,
    arrived: usize,
    /// When the first request comes.
    start: f64,
    pub(super) last_end: f64,
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
        if now.is_nan() || now > LAST_SECONDS {
            return Err(ReplayError::Endless);
        }
        self.mail.deliver(now, self.router);
        match kind {
            Kind::Arrival { request } => {
                self.arrived += 1;
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

    fn sample(&mut self, now: f64) {
        for engine in &self.engines {
            self.mail.send_telemetry(engine.telemetry(now));
        }
        let Some(happens) = self.agenda.next_at() else {
            return;
        };
        let every = self.fleet.telemetry_every_seconds;
        let quiet = happens - now;
        let periods = if quiet > QUIET_SECONDS.max(every) {
            (quiet / every).floor()
        } else {
            1.0
        };
        self.agenda.add(now + periods * every, Kind::Sample);
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
}
