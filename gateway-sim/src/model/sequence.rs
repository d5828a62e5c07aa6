//! One request inside the scheduler.

use gateway_core::BlockHash;
use gateway_core::hash::hash_tokens;

use super::Request;
use super::blocks::BlockNo;

/// A request with its progress and its blocks.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) request: Request,
    /// Tokens of the answer that came out.
    pub(super) generated: usize,
    /// Tokens whose KV is there, from the start.
    pub(super) computed: usize,
    /// The blocks held, in order.
    pub(super) blocks: Vec<BlockNo>,
    /// Hashes of the full blocks known so far: those of the prompt, then those of the answer as it grows.
    pub(super) hashes: Vec<BlockHash>,
    /// How many of the first blocks went through publication.
    pub(super) published: usize,
    /// Whether it was in the batch before.
    pub(super) was_admitted: bool,
    /// Tokens of the prompt whose KV comes from another engine when it is admitted.
    pub(super) brought: usize,
    /// Whether its blocks stay held when it is finished.
    pub(super) is_kept: bool,
}

impl Sequence {
    pub(super) fn new(request: Request, block_tokens: usize) -> Self {
        let mut sequence = Self {
            request,
            generated: 0,
            computed: 0,
            blocks: Vec::new(),
            hashes: Vec::new(),
            published: 0,
            was_admitted: false,
            brought: 0,
            is_kept: false,
        };
        sequence.hash_up_to(sequence.len() / block_tokens, block_tokens);
        sequence
    }

    /// Tokens known: the prompt and what came out.
    pub(super) fn len(&self) -> usize {
        self.request.prompt.len() + self.generated
    }

    /// Tokens known but not computed.
    pub(super) fn pending(&self) -> usize {
        self.len() - self.computed
    }

    /// Whether its next step computes nothing but the last token that came out.
    pub(super) fn is_decoding(&self) -> bool {
        self.generated > 0 && self.pending() == 1
    }

    pub(super) fn is_finished(&self) -> bool {
        self.generated == self.request.output.len()
    }

    /// The hashes by which its blocks may be found: all full blocks, but never the whole, because the last token must be
    /// computed to get the next one.
    pub(super) fn lookup(&self, block_tokens: usize) -> &[BlockHash] {
        let most = (self.len() - 1) / block_tokens;
        &self.hashes[..most.min(self.hashes.len())]
    }

    /// Publishes nothing more of the blocks it holds: what they follow is no longer in the cache.
    pub(super) fn withhold(&mut self) {
        if !self.blocks.is_empty() {
            self.published = usize::MAX;
        }
    }

    /// Hashes full blocks until there are `count` hashes.
    pub(super) fn hash_up_to(&mut self, count: usize, block_tokens: usize) {
        if self.hashes.len() < count {
            let chain = self
                .hashes
                .last()
                .map_or(self.request.namespace, |hash| hash.0);
            let tokens = self.block_tokens(self.hashes.len()..count, block_tokens);
            hash_tokens(chain, &tokens, block_tokens, &mut self.hashes);
        }
    }

    /// The tokens of these blocks.
    pub(super) fn block_tokens(
        &self,
        blocks: std::ops::Range<usize>,
        block_tokens: usize,
    ) -> Vec<u32> {
        (blocks.start * block_tokens..blocks.end * block_tokens)
            .map(|at| self.request.token(at))
            .collect()
    }
}
