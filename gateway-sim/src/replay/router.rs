//! Who is asked where requests go.

use gateway_core::decider::{
    Answer, Ask, DecideError, Decider, Finish, FirstToken, Init, KvNote, PrefillDone, TelemetryNote,
};

/// A router as the replay sees it: told what a real one would be told, asked for every request.
pub trait Router {
    /// The fleet; called once, first.
    fn init(&mut self, init: &Init);
    /// An engine's gauges, perhaps late.
    fn telemetry(&mut self, note: &TelemetryNote);
    /// Changes of an engine's cache, perhaps late.
    fn kv(&mut self, note: &KvNote);
    /// The prefill half of a split request is done.
    fn prefill_done(&mut self, note: &PrefillDone);
    /// A request's first token.
    fn first_token(&mut self, note: &FirstToken);
    /// A request's end.
    fn finish(&mut self, note: &Finish);
    /// Where a request goes.
    fn route(&mut self, ask: &Ask) -> Answer;
}

/// The router itself. A replay sends the fleet first and has checked it, so that no message can be meaningless.
impl Router for Decider {
    fn init(&mut self, init: &Init) {
        told(self.init(init));
    }

    fn telemetry(&mut self, note: &TelemetryNote) {
        told(self.telemetry(note));
    }

    fn kv(&mut self, note: &KvNote) {
        told(self.kv(note));
    }

    fn prefill_done(&mut self, note: &PrefillDone) {
        told(self.prefill_done(note));
    }

    fn first_token(&mut self, note: &FirstToken) {
        told(self.first_token(note));
    }

    fn finish(&mut self, note: &Finish) {
        told(self.finish(note));
    }

    fn route(&mut self, ask: &Ask) -> Answer {
        told(self.route(ask)).0
    }
}

fn told<T>(result: Result<T, DecideError>) -> T {
    result.expect("the fleet was checked and came first")
}
