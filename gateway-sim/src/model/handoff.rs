//! KV that one engine computes and another uses.

use super::{EngineModel, RequestId};

impl EngineModel {
    /// Keeps the blocks of a request when it is finished, until [`Self::let_go`]; they count as in use. One that is
    /// aborted before keeps none. False where it is not in the engine.
    pub fn keep(&mut self, id: RequestId) -> bool {
        let Some(sequence) = self.sequences.get_mut(&id) else {
            return false;
        };
        sequence.is_kept = true;
        true
    }

    /// The numbers of the blocks kept of a finished request, in order; none of one that keeps none.
    #[must_use]
    pub fn kept(&self, id: RequestId) -> &[u32] {
        self.kept.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    /// Frees the blocks kept of a finished request. False where it keeps none.
    pub fn let_go(&mut self, id: RequestId) -> bool {
        let Some(blocks) = self.kept.remove(&id) else {
            return false;
        };
        self.pool.release(&blocks);
        true
    }

    /// Brings the KV of the first `tokens` of a waiting request's prompt from elsewhere: they need blocks, but no
    /// computing. False where it is not in the engine.
    pub fn bring(&mut self, id: RequestId, tokens: usize) -> bool {
        let Some(sequence) = self.sequences.get_mut(&id) else {
            return false;
        };
        sequence.brought = tokens.min(sequence.request.prompt.len());
        true
    }
}

#[cfg(test)]
mod tests {
    use gateway_core::Timestamp;

    use super::*;
    use crate::model::{ChipProfile, EngineConfig, Request};

    fn engine() -> EngineModel {
        let chip = ChipProfile::named("8b-h100").expect("a known profile");
        let config = EngineConfig {
            kv_blocks: 10,
            max_model_tokens: 160,
            ..EngineConfig::for_chip(chip)
        };
        EngineModel::new(config).expect("valid")
    }

    fn submit(engine: &mut EngineModel, id: u64, prompt: usize) {
        let request = Request::new(RequestId(id), vec![7; prompt], vec![8; 1]);
        engine.submit(Timestamp::ZERO, request).expect("valid");
    }

    fn run(engine: &mut EngineModel, id: u64) -> u64 {
        let before = engine.metrics().busy_micros;
        for _ in 0..100 {
            let at = engine.next_step_at().expect("work");
            if engine.step(at).finished.contains(&RequestId(id)) {
                return engine.metrics().busy_micros - before;
            }
        }
        panic!("it never finishes");
    }

    #[test]
    fn kept_blocks_leave_no_room_until_they_are_let_go() {
        let mut engine = engine();
        submit(&mut engine, 1, 120);
        assert!(engine.keep(RequestId(1)));
        run(&mut engine, 1);
        assert_eq!(engine.kept(RequestId(1)).len(), 8);
        let metrics = engine.metrics();
        assert_eq!((metrics.blocks_kept, metrics.blocks_in_use), (8, 8));
        engine
            .submit(
                Timestamp::ZERO,
                Request::new(RequestId(2), vec![9; 100], vec![8; 1]),
            )
            .expect("valid");
        let at = engine.next_step_at().expect("it waits");
        assert!(engine.step(at).admitted.is_empty());
        assert!(engine.next_step_at().expect("it looks again") > at);
        assert!(engine.let_go(RequestId(1)));
        assert!(!engine.let_go(RequestId(1)), "once only");
        run(&mut engine, 2);
        assert_eq!(engine.metrics().blocks_in_use, 0);
    }

    #[test]
    fn an_aborted_request_keeps_nothing() {
        let mut engine = engine();
        submit(&mut engine, 1, 120);
        engine.keep(RequestId(1));
        engine.step(Timestamp::ZERO);
        assert!(engine.abort(RequestId(1)));
        assert_eq!(engine.metrics().blocks_in_use, 0);
        assert!(!engine.keep(RequestId(1)) && !engine.bring(RequestId(1), 5));
    }

    #[test]
    fn what_is_brought_need_not_be_computed_and_is_found_by_the_next_request() {
        let mut alone = engine();
        submit(&mut alone, 1, 120);
        let computed = run(&mut alone, 1);
        let mut engine = engine();
        submit(&mut engine, 1, 120);
        assert!(engine.bring(RequestId(1), 500));
        let brought = run(&mut engine, 1);
        assert!(brought < computed, "{brought} against {computed}");
        assert_eq!(engine.metrics().prefix_hits_tokens, 0);
        submit(&mut engine, 2, 120);
        run(&mut engine, 2);
        assert_eq!(engine.metrics().prefix_hits_tokens, 112);
    }
}
