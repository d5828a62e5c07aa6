//! The events of one rank, one after the other.

use std::collections::HashMap;

use gateway_core::hash;
use gateway_core::kvfeed::{EngineHash, KvBatch, Mark, Origin, Tier, token_seed};

use super::answer::{PolledError, PolledEvent};
use super::data::{Block, Data, Diff, Stored};

/// The most blocks outside the device that are remembered. What is forgotten of them is taken to lie on the device.
const LEVELS_AT_MOST: usize = 1 << 20;

/// What is remembered of one rank's events to understand the next ones.
#[derive(Debug, Default)]
pub struct PolledRank {
    next: u64,
    /// The greatest window so far; only its blocks tell whether a prefix can be used again.
    window: u32,
    has_stored: bool,
    /// Blocks outside the device: removals do not say from where.
    levels: HashMap<EngineHash, u8>,
}

impl PolledRank {
    /// Nothing heard yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one event into `batch`, which loses what it held. `published_unix_secs` is when it happened, as near as that
    /// is known.
    ///
    /// Each block is as long as it has tokens: the last one of a prompt may be stored before it is full. Kinds of events
    /// that nobody here knows are counted in the batch. Events say nothing of LoRA adapters and cache salts, so all are
    /// those of the base model without salt.
    ///
    /// # Errors
    /// Where its data cannot be read, or throws over what was read before; the batch then holds nothing that may be used.
    pub fn read(
        &mut self,
        event: &PolledEvent<'_>,
        published_unix_secs: Option<f64>,
        batch: &mut KvBatch,
    ) -> Result<(), PolledError> {
        batch.reset(published_unix_secs, event.rank);
        self.follow(event.seq);
        let dense = self.is_dense(event.window)?;
        match event.data()? {
            Data::Created => {}
            Data::Stored(stored) => {
                self.has_stored |= dense;
                self.stored(&stored, dense, batch);
            }
            Data::Removed(hashes) => self.removed(&hashes, dense, batch),
            Data::Updated(hash, Some(levels)) => self.moved(hash, levels, dense, batch),
            Data::Updated(_, None) => {}
            Data::Unknown => batch.unknown(),
        }
        Ok(())
    }

    /// Forgets what a lost event, or a process that is no more, may have made untrue.
    fn follow(&mut self, seq: u64) {
        if seq < self.next {
            *self = Self::new();
        } else if seq > self.next {
            self.levels.clear();
        }
        self.next = seq.saturating_add(1);
    }

    fn is_dense(&mut self, window: Option<u32>) -> Result<bool, PolledError> {
        let Some(found) = window.filter(|window| *window != self.window) else {
            return Ok(true);
        };
        if found < self.window {
            return Ok(false);
        }
        let before = std::mem::replace(&mut self.window, found);
        if std::mem::take(&mut self.has_stored) {
            return Err(PolledError::Window { before, found });
        }
        Ok(true)
    }

    fn stored(&mut self, stored: &Stored, dense: bool, batch: &mut KvBatch) {
        let mut parent = stored.parent_hash;
        let alike = |a: &Block, b: &Block| {
            (a.tokens.len(), a.cache_level) == (b.tokens.len(), b.cache_level)
        };
        for run in stored.blocks.chunk_by(alike) {
            let (tokens, level) = (run[0].tokens.len(), run[0].cache_level.unwrap_or(0));
            for (place, block) in (0..).zip(run) {
                self.set_level(block.block_hash, level, dense);
                batch.hashes_mut().push(block.block_hash);
                let ids = block.tokens.iter().map(|token| token.token_id);
                batch.tokens_mut().extend(ids);
                if let Some(fingerprint) = block.fingerprint() {
                    let block = place;
                    batch.mark(Mark { block, fingerprint });
                }
            }
            let block_tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
            batch.stored(origin(parent, block_tokens, level, dense));
            parent = run.last().map(|block| block.block_hash);
        }
    }

    fn removed(&mut self, hashes: &[EngineHash], dense: bool, batch: &mut KvBatch) {
        let mut elsewhere = Vec::new();
        for &hash in hashes {
            match dense.then(|| self.levels.remove(&hash)).flatten() {
                Some(level) => elsewhere.push((hash, level)),
                None => batch.hashes_mut().push(hash),
            }
        }
        let group = Some(group(dense));
        if elsewhere.len() < hashes.len() {
            batch.removed(Tier::Device, group);
        }
        for (hash, level) in elsewhere {
            batch.hashes_mut().push(hash);
            batch.removed(tier(level), group);
        }
    }

    /// A block went to another level: first it is there, then it is here no more, so that it is never unknown.
    fn moved(&mut self, hash: EngineHash, levels: Diff, dense: bool, batch: &mut KvBatch) {
        self.set_level(hash, levels.new_value, dense);
        batch.hashes_mut().push(hash);
        batch.stored(origin(None, 0, levels.new_value, dense));
        batch.hashes_mut().push(hash);
        batch.removed(tier(levels.old_value), Some(group(dense)));
    }

    /// A shorter attention window has blocks of the same names, whose levels say nothing of the whole window's.
    fn set_level(&mut self, hash: EngineHash, level: u8, dense: bool) {
        if !dense {
            return;
        }
        if level == 0 {
            self.levels.remove(&hash);
        } else if self.levels.len() < LEVELS_AT_MOST {
            self.levels.insert(hash, level);
        }
    }
}

impl Block {
    /// A name of what its token ids do not say, where there is such.
    fn fingerprint(&self) -> Option<u64> {
        let extra = |(place, id): (usize, u64)| [place as u64, id].map(u64::to_le_bytes);
        let ids = self.tokens.iter().map(|token| token.token_extra_id);
        let told: Vec<_> = ids.enumerate().filter(|(_, id)| *id != 0).collect();
        let bytes: Vec<u8> = told.into_iter().flat_map(extra).flatten().collect();
        (!bytes.is_empty()).then(|| hash::seed(&[&bytes]))
    }
}

fn origin(parent: Option<EngineHash>, block_tokens: u32, level: u8, dense: bool) -> Origin {
    Origin {
        parent,
        block_tokens,
        seed: token_seed(b"", b""),
        tier: tier(level),
        group: group(dense),
        dense,
    }
}

/// Shorter windows are another group of the cache, with blocks of its own.
fn group(dense: bool) -> u32 {
    u32::from(!dense)
}

fn tier(level: u8) -> Tier {
    match level {
        0 => Tier::Device,
        1 => Tier::Host,
        _ => Tier::Disk,
    }
}
