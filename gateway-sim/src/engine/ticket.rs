//! A client's hold on its sequences in the scheduler.

use std::sync::Arc;

use tokio::sync::watch;

use super::shell::Shell;
use crate::model::RequestId;

/// How far one sequence is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Tokens that came out.
    pub(super) tokens: usize,
    /// Prompt tokens found in the cache, known when it enters the batch.
    pub(super) cached_tokens: u32,
    pub(super) is_finished: bool,
}

/// The sequences of one HTTP request. Dropping it withdraws what is not finished: this is how a client that leaves frees
/// its blocks.
#[derive(Debug)]
pub(super) struct Ticket {
    shell: Arc<Shell>,
    rank: usize,
    ids: Vec<RequestId>,
    progress: watch::Receiver<Vec<Progress>>,
}

impl Ticket {
    pub(super) fn new(
        shell: Arc<Shell>,
        rank: usize,
        ids: Vec<RequestId>,
        progress: watch::Receiver<Vec<Progress>>,
    ) -> Self {
        Self {
            shell,
            rank,
            ids,
            progress,
        }
    }

    pub(super) fn progress(&self) -> Vec<Progress> {
        self.progress.borrow().clone()
    }

    pub(super) fn progress_of(&self, sequence: usize) -> Progress {
        self.progress
            .borrow()
            .get(sequence)
            .copied()
            .unwrap_or_default()
    }

    /// Waits for the next token of any sequence. Never ends once the engine stands still.
    pub(super) async fn changed(&mut self) {
        if self.progress.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The blocks that are kept of the first sequence for another engine.
    pub(super) fn kept_blocks(&self) -> Vec<u32> {
        let inner = self.shell.ranks[self.rank].inner();
        let blocks = self.ids.first().map(|id| inner.model.kept(*id).to_vec());
        blocks.unwrap_or_default()
    }

    /// Kills the engine.
    pub(super) fn kill(&self) {
        self.shell.become_at_least(super::shell::Life::Dead);
    }

    /// Waits until a sequence has all its tokens.
    pub(super) async fn finished(&mut self, sequence: usize) {
        self.reached(sequence, usize::MAX).await;
    }

    /// Waits until a sequence has that many tokens, or is finished.
    pub(super) async fn reached(&mut self, sequence: usize, tokens: usize) {
        loop {
            let progress = self.progress_of(sequence);
            if progress.is_finished || progress.tokens >= tokens {
                return;
            }
            self.changed().await;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inner = self.shell.ranks[self.rank].inner();
        self.ids.iter().for_each(|id| inner.withdraw(*id));
    }
}
