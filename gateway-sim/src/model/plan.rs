//! Choosing the work of one step.

use gateway_core::Timestamp;

use super::blocks::BlockPool;
use super::scheduler::{Admission, EngineModel};
use super::{RequestId, StepLoad};

/// The step under way.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) started_at: Timestamp,
    pub(super) ends_at: Timestamp,
    /// Who computes how many tokens.
    pub(super) work: Vec<(RequestId, usize)>,
}

/// A step while it is being filled.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) load: StepLoad,
    pub(super) work: Vec<(RequestId, usize)>,
    pub(super) admitted: Vec<Admission>,
    budget: usize,
    has_preempted: bool,
}

impl EngineModel {
    /// Fills a step: who decodes, then unfinished prompts, then new requests.
    pub(super) fn plan(&mut self) -> Plan {
        let mut plan = Plan {
            load: StepLoad::default(),
            work: Vec::new(),
            admitted: Vec::new(),
            budget: self.config.batch_tokens as usize,
            has_preempted: false,
        };
        self.plan_decodes(&mut plan);
        self.plan_prompts(&mut plan);
        if !plan.has_preempted {
            self.plan_admissions(&mut plan);
        }
        plan
    }

    fn plan_decodes(&mut self, plan: &mut Plan) {
        let mut place = 0;
        while let Some(&id) = self.running.get(place) {
            place += 1;
            if plan.budget == 0 || !self.sequences[&id].is_decoding() || !self.make_room(id, plan) {
                continue;
            }
            plan.work.push((id, 1));
            plan.budget -= 1;
            plan.load.decodes += 1;
            plan.load.context_tokens += self.sequences[&id].len() as u64;
        }
    }

    fn plan_prompts(&mut self, plan: &mut Plan) {
        for place in 0..self.running.len() {
            let id = self.running[place];
            if !self.sequences[&id].is_decoding() {
                self.plan_chunk(id, plan);
            }
        }
    }

    fn plan_admissions(&mut self, plan: &mut Plan) {
        while plan.budget > 0 && self.running.len() < self.config.max_sequences as usize {
            let Some(&id) = self.waiting.front() else {
                break;
            };
            if !self.admit(id, plan) {
                break;
            }
            self.waiting.pop_front();
            self.running.push(id);
            self.plan_chunk(id, plan);
        }
    }

    /// Plans as much of a prompt as the budget allows.
    fn plan_chunk(&self, id: RequestId, plan: &mut Plan) {
        let sequence = &self.sequences[&id];
        let tokens = sequence.pending().min(plan.budget);
        if tokens == 0 {
            return;
        }
        plan.work.push((id, tokens));
        plan.budget -= tokens;
        plan.load.prompt_tokens += u32::try_from(tokens).unwrap_or(u32::MAX);
        #[expect(
            clippy::cast_precision_loss,
            reason = "token counts stay far below 2^52"
        )]
        let (new, before) = (tokens as f64, sequence.computed as f64);
        plan.load.attention_pairs += new * (before + new / 2.0);
    }

    /// Gives a waiting request the blocks for everything it knows, or none at all and false.
    fn admit(&mut self, id: RequestId, plan: &mut Plan) -> bool {
        let block_tokens = self.config.block_tokens as usize;
        let sequence = self
            .sequences
            .get_mut(&id)
            .expect("a waiting request is known");
        let lookup = if self.config.prefix_caching {
            sequence.lookup(block_tokens)
        } else {
            &[]
        };
        let found = self.pool.matching(lookup);
        let found_idle = self.pool.idle_among(&lookup[..found]);
        let needed = sequence.len().div_ceil(block_tokens) - found;
        if needed + found_idle > self.pool.available() {
            return false;
        }
        sequence.blocks = lookup[..found]
            .iter()
            .map(|hash| self.pool.hold_cached(*hash))
            .collect();
        hold_blanks(&mut self.pool, &mut sequence.blocks, needed);
        sequence.computed = found * block_tokens;
        sequence.published = found;
        let cached_tokens = sequence.computed;
        // The last token is computed here, to get the next one. What was brought once is not there after a preemption.
        let brought = std::mem::take(&mut sequence.brought).min(sequence.len() - 1);
        sequence.computed = sequence.computed.max(brought);
        if !std::mem::replace(&mut sequence.was_admitted, true) {
            self.metrics.prefix_queries_tokens += sequence.request.prompt.len() as u64;
            self.metrics.prefix_hits_tokens += cached_tokens as u64;
            let cached_tokens = u32::try_from(cached_tokens).unwrap_or(u32::MAX);
            plan.admitted.push(Admission { id, cached_tokens });
        }
        true
    }

    /// Makes sure that the next token of a decoding sequence has a block, at the expense of those admitted last. False
    /// where the sequence itself had to go.
    fn make_room(&mut self, id: RequestId, plan: &mut Plan) -> bool {
        let block_tokens = self.config.block_tokens as usize;
        loop {
            let sequence = self
                .sequences
                .get_mut(&id)
                .expect("a running request is known");
            if sequence.blocks.len() * block_tokens >= sequence.len() {
                return true;
            }
            if let Some(block) = self.pool.hold_blank() {
                sequence.blocks.push(block);
                return true;
            }
            plan.has_preempted = true;
            if self.preempt_last() == Some(id) {
                return false;
            }
        }
    }

    /// Throws the sequence admitted last out of the batch; it computes everything again that is not cached by then.
    fn preempt_last(&mut self) -> Option<RequestId> {
        let id = self.running.pop()?;
        let sequence = self
            .sequences
            .get_mut(&id)
            .expect("a running request is known");
        self.pool.release(&std::mem::take(&mut sequence.blocks));
        sequence.computed = 0;
        sequence.published = 0;
        self.waiting.push_front(id);
        self.metrics.preemptions += 1;
        Some(id)
    }
}

fn hold_blanks(pool: &mut BlockPool, blocks: &mut Vec<u32>, count: usize) {
    for _ in 0..count {
        blocks.push(
            pool.hold_blank()
                .expect("the blocks were counted as available"),
        );
    }
}
