//! Blocks that wait for another engine to fetch them.

use std::collections::HashMap;
use std::time::Duration;

use gateway_core::{Timestamp, hash};

use crate::engine::shell::Shell;
use crate::model::RequestId;

/// The requests whose blocks are kept, by the names under which others ask for them. There are no more of them than
/// blocks.
#[derive(Debug, Default)]
pub(in crate::engine) struct Holdings {
    by_name: HashMap<String, Held>,
    names: HashMap<RequestId, String>,
    /// Requests whose blocks were freed because nobody came for them in time.
    pub(in crate::engine) expired: u64,
    /// Questions for blocks that are not, or no longer, held.
    pub(in crate::engine) missed: u64,
}

#[derive(Debug)]
struct Held {
    id: RequestId,
    content: Content,
    /// None while the blocks are computed.
    expires_at: Option<Timestamp>,
}

/// What the blocks are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Content {
    pub(in crate::engine) prompt_hash: u64,
    pub(in crate::engine) tokens: usize,
}

impl Content {
    pub(in crate::engine) fn of(prompt: &[u32]) -> Self {
        let bytes: Vec<u8> = prompt.iter().flat_map(|id| id.to_le_bytes()).collect();
        Self {
            prompt_hash: hash::seed(&[&bytes]),
            tokens: prompt.len(),
        }
    }
}

impl Holdings {
    /// Hears that a request's blocks will be kept under a name.
    pub(in crate::engine) fn expect(&mut self, name: String, id: RequestId, content: Content) {
        self.names.insert(id, name.clone());
        let held = Held {
            id,
            content,
            expires_at: None,
        };
        self.by_name.insert(name, held);
    }

    /// Hears that a request was withdrawn before its blocks were complete.
    pub(in crate::engine) fn left(&mut self, id: RequestId) {
        if let Some(name) = self.names.remove(&id) {
            self.by_name.remove(&name);
        }
    }

    /// Hears that a request is finished; whether its blocks are kept until then.
    pub(in crate::engine) fn finished(&mut self, id: RequestId, expires_at: Timestamp) -> bool {
        let name = self.names.get(&id);
        let held = name.and_then(|name| self.by_name.get_mut(name));
        held.is_some_and(|held| {
            held.expires_at = Some(expires_at);
            true
        })
    }

    /// What is kept under a name.
    fn ready(&self, name: &str) -> Option<Content> {
        let held = self.by_name.get(name)?;
        held.expires_at.map(|_| held.content)
    }

    /// Makes the lease of what is kept under a name last until `lease` at least. False where nothing is.
    fn prolong(&mut self, name: &str, lease: Timestamp) -> bool {
        let held = self.by_name.get_mut(name);
        let Some(expires_at) = held.and_then(|held| held.expires_at.as_mut()) else {
            return false;
        };
        *expires_at = lease.max(*expires_at);
        true
    }

    fn take(&mut self, name: &str) -> Option<RequestId> {
        let held = self.by_name.get(name)?;
        held.expires_at?;
        let id = held.id;
        self.left(id);
        Some(id)
    }

    /// When the next lease ends.
    pub(in crate::engine) fn next_expiry(&self) -> Option<Timestamp> {
        self.by_name
            .values()
            .filter_map(|held| held.expires_at)
            .min()
    }

    /// Forgets what has expired; whose blocks are to be freed.
    pub(in crate::engine) fn expire(&mut self, now: Timestamp) -> Vec<RequestId> {
        let is_over = |held: &&Held| held.expires_at.is_some_and(|at| at <= now);
        let over: Vec<_> = self
            .by_name
            .values()
            .filter(is_over)
            .map(|held| held.id)
            .collect();
        self.expired += over.len() as u64;
        over.iter().for_each(|id| self.left(*id));
        over
    }

    /// Requests whose blocks are kept now.
    pub(in crate::engine) fn count(&self) -> u32 {
        let ready = self
            .by_name
            .values()
            .filter(|held| held.expires_at.is_some());
        u32::try_from(ready.count()).unwrap_or(u32::MAX)
    }
}

impl Shell {
    /// When a lease that begins now ends.
    pub(in crate::engine) fn lease_end(&self) -> Timestamp {
        let lease_ms = self.transfer.as_ref().map_or(0, |own| own.config.lease_ms);
        self.clock.now().after(Duration::from_millis(lease_ms))
    }

    /// Makes a lease that is under way last for two thirds of a new one at least. False where nothing is kept.
    pub(super) fn prolong(&self, name: &str) -> bool {
        let lease_ms = self.transfer.as_ref().map_or(0, |own| own.config.lease_ms);
        let lease = Duration::from_millis(lease_ms) * 2 / 3;
        self.prolong_until(name, self.clock.now().after(lease))
    }

    fn prolong_until(&self, name: &str, lease: Timestamp) -> bool {
        let mut ranks = self.ranks.iter();
        ranks.any(|rank| rank.inner().holdings.prolong(name, lease))
    }

    /// What is kept under a name, after a wait of at most that wall time for it to be complete; whether its lease then
    /// begins anew.
    pub(super) async fn held_within(
        &self,
        name: &str,
        wait: Duration,
        renews: bool,
    ) -> Option<Content> {
        let mut ready = self.transfer.as_ref()?.ready.subscribe();
        let wait = tokio::time::sleep(wait);
        tokio::pin!(wait);
        loop {
            let mut ranks = self.ranks.iter();
            if let Some(content) = ranks.find_map(|rank| rank.inner().holdings.ready(name)) {
                if renews {
                    self.prolong_until(name, self.lease_end());
                }
                return Some(content);
            }
            tokio::select! {
                changed = ready.changed() => changed.ok()?,
                () = &mut wait => break,
            }
        }
        self.ranks[0].inner().holdings.missed += 1;
        None
    }

    /// Frees what is kept under a name. False where nothing is.
    pub(super) fn let_go(&self, name: &str) -> bool {
        self.ranks.iter().any(|rank| {
            let inner = &mut *rank.inner();
            let id = inner.holdings.take(name);
            id.is_some_and(|id| inner.model.let_go(id))
        })
    }
}
