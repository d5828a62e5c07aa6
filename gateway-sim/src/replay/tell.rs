//! What comes of steps: records, notes to the router, and caches that leave.

use gateway_core::decider::{Finish, FirstToken, PrefillDone};

use super::engine::Signal;
use super::event::Kind;
use super::run::Run;
use super::sequence::Part;

impl Run<'_> {
    /// Records what happened in a step, and tells the router.
    pub(super) fn tell(&mut self, now: f64, engine: u32) {
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

    pub(super) fn sent(&mut self, now: f64, request: u32, place: u32) {
        let record = &self.records[request as usize];
        let prefill = record.prefill_engine.expect("only split requests are sent");
        let decode = record.engine.expect("a request that is sent has engines");
        self.engines[prefill as usize].release_parked(now, place);
        self.wake(now, prefill);
        self.submit(now, decode, self.job(request, Part::Decode));
    }
}
