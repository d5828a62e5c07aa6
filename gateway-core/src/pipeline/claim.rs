//! The guard of a prompt on its way.

use std::sync::Arc;

use crate::{
    EndpointId, RouteCx, Timestamp,
    residency::{Claim, Residency},
};

/// A prompt that counts as cached where it was sent, until its first token proves or its failure disproves it.
#[derive(Debug)]
pub(super) struct Claimed {
    residency: Arc<Residency>,
    claim: Option<Claim>,
    /// When anything was last heard of it.
    heard_at: Timestamp,
}

impl Claimed {
    /// Enters the prompt of `cx` at `endpoint`.
    pub(super) fn place(
        residency: &Arc<Residency>,
        endpoint: EndpointId,
        cx: &RouteCx<'_>,
    ) -> Self {
        let enters = || residency.placed(endpoint, cx.blocks, cx.keying, cx.now);
        Self {
            residency: Arc::clone(residency),
            claim: (!cx.blocks.is_empty()).then(enters),
            heard_at: cx.now,
        }
    }

    /// The engine has computed the prompt. Later calls do nothing.
    pub(super) fn served(&mut self, now: Timestamp) {
        self.heard_at = now;
        if let Some(claim) = self.claim.take() {
            self.residency.served(claim, now);
        }
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        if let Some(claim) = self.claim.take() {
            self.residency.failed(claim, self.heard_at);
        }
    }
}
