//! Where requests go: asking the router, and doing as it says.

use std::sync::Arc;

use gateway_core::decider::{Answer, Finish};

use super::ReplayError;
use super::event::Kind;
use super::run::Run;
use super::sequence::{Job, Part};

/// How often a request may be held before it counts as rejected.
const MOST_HOLDS: u32 = 1_000;

/// The longest hold; a router that wants more is asked again.
const MOST_HOLD_MS: u64 = 60_000;

impl Run<'_> {
    /// Asks where a request goes, for the time after so many.
    pub(super) fn place(&mut self, now: f64, request: u32, tries: u32) -> Result<(), ReplayError> {
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
                let hold_ms = u32::try_from(hold_ms.min(MOST_HOLD_MS)).expect("a minute");
                let at = now + f64::from(hold_ms) / 1_000.0;
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

    pub(super) fn job(&self, request: u32, part: Part) -> Job {
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
    }

    pub(super) fn submit(&mut self, now: f64, engine: u32, job: Job) {
        self.engines[engine as usize].submit(job);
        self.wake(now, engine);
    }

    /// Lets an engine start if it does nothing.
    pub(super) fn wake(&mut self, now: f64, engine: u32) {
        let sleeper = &mut self.engines[engine as usize];
        if sleeper.step_at.is_none() && !sleeper.waiting.is_empty() {
            sleeper.step_at = Some(now);
            self.agenda.add(now, Kind::Step { engine });
        }
    }
}
