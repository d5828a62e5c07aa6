//! One request inside an engine.

use std::sync::Arc;

use super::memory::Holding;

/// What an engine is to do for a request.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// The request's number.
    pub(super) request: u32,
    pub(super) input: u32,
    pub(super) output: u32,
    /// Ids of the prompt's blocks.
    pub(super) blocks: Arc<[u64]>,
    pub(super) part: Part,
}

/// An engine's part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Prompt and output.
    Whole,
    /// The prompt; its KV cache leaves.
    Prefill,
    /// The output; the prompt's KV cache came over the network.
    Decode,
}

/// Where a sequence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    /// In the batch, with tokens to compute before the next one comes out.
    Prompt,
    /// In the batch, one token a step.
    Decoding,
    /// Out of the batch, its blocks held until they are sent.
    Parked,
}

/// A request with its progress and its blocks.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) job: Job,
    pub(super) stage: Stage,
    /// The number of its admission, from 1; later ones are preempted first.
    pub(super) stamp: u64,
    /// Tokens that came out, while decoding those before it joined.
    pub(super) generated: u32,
    /// How many steps the engine had done when this sequence joined the decoding ones.
    pub(super) joined: u64,
    /// After how many steps its last token comes out.
    pub(super) finish: u64,
    /// Tokens whose KV is there while the prompt is computed.
    pub(super) computed: u32,
    /// Leading prompt blocks that went through publication.
    pub(super) published: u32,
    pub(super) holding: Holding,
    /// Whether the prompt's KV cache came over the network and is still to be taken in.
    pub(super) received: bool,
    /// Prompt tokens found at its first admission.
    pub(super) cached: Option<u32>,
    /// When its latest token came out, kept over preemption.
    pub(super) last_token_at: f64,
}

impl Sequence {
    pub(super) fn new(job: Job) -> Self {
        Self {
            received: job.part == Part::Decode,
            job,
            stage: Stage::Waiting,
            stamp: 0,
            generated: 0,
            joined: 0,
            finish: u64::MAX,
            computed: 0,
            published: 0,
            holding: Holding::default(),
            cached: None,
            last_token_at: 0.0,
        }
    }

    /// Tokens that came out, when the engine has done so many steps.
    pub(super) fn generated_after(&self, steps: u64) -> u32 {
        let since = match self.stage {
            Stage::Decoding => steps - self.joined,
            _ => 0,
        };
        self.generated + u32::try_from(since).expect("at most its output")
    }

    /// Tokens known while it does not decode: the prompt and what came out.
    pub(super) fn len(&self) -> u32 {
        self.job.input + self.generated
    }

    /// The ids by which its blocks may be found: full blocks of the prompt, but never everything, because the last token
    /// must be computed to get the next one.
    pub(super) fn lookup(&self, block_tokens: u32) -> &[u64] {
        let full = (self.job.input / block_tokens).min((self.len() - 1) / block_tokens);
        &self.job.blocks[..self.job.blocks.len().min(full as usize)]
    }

    /// Ids of prompt blocks that are computed but not published, which they are after this call.
    pub(super) fn publishable(&mut self, block_tokens: u32) -> std::ops::Range<usize> {
        let computed = if self.computed >= self.job.input {
            self.job.input.div_ceil(block_tokens)
        } else {
            self.computed / block_tokens
        };
        let known = u32::try_from(self.job.blocks.len()).unwrap_or(u32::MAX);
        let from = self.published;
        self.published = computed.min(known).max(from);
        from as usize..self.published as usize
    }
}
