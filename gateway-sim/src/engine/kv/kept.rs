//! Events that are kept until somebody asks for them, as TensorRT-LLM does.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gateway_core::BlockHash;
use serde_json::{Value, json};

use super::Fate;
use crate::engine::clock::Clock;
use crate::model::{EngineConfig, KvEvent};

/// What the serializer writes of every block: the priority that blocks have unless a request says otherwise.
const PRIORITY: u32 = 35;

/// One rank's events, with numbers from 0 on; whoever asks takes them away.
#[derive(Debug)]
pub(in crate::engine) struct KeptEvents {
    /// The rank, where there are several.
    rank: Option<u32>,
    blocks: u32,
    block_tokens: usize,
    window_tokens: u32,
    /// Events kept; of more, the oldest are dropped.
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    kept: VecDeque<Kept>,
    /// What is in the cache: that it was dropped is told block by block.
    stored: HashSet<BlockHash>,
}

#[derive(Debug)]
struct Kept {
    event: Value,
    /// Not given away before.
    ready_unix_secs: f64,
}

impl KeptEvents {
    pub(super) fn new(limit: usize, engine: &EngineConfig, rank: Option<u32>) -> Self {
        let kept = Self {
            rank,
            blocks: engine.kv_blocks,
            block_tokens: engine.block_tokens as usize,
            window_tokens: engine.max_model_tokens,
            limit: limit.max(1),
            inner: Mutex::default(),
        };
        kept.begin(&mut kept.inner());
        kept
    }

    /// Keeps events. False where some are dropped, by the full buffer or by fate; their numbers are used up all the same.
    pub(super) fn keep(&self, events: &[KvEvent], fate: Fate) -> bool {
        let delay = match fate {
            Fate::Sent => 0.0,
            Fate::Late(delay) => delay.as_secs_f64(),
            Fate::LostOnTheWay | Fate::Dropped => f64::INFINITY,
        };
        let ready_unix_secs = Clock::unix_seconds() + delay;
        let inner = &mut *self.inner();
        let mut is_whole = ready_unix_secs.is_finite();
        for event in events {
            let data = self.data(&mut inner.stored, event);
            is_whole &= self.push(inner, &data, ready_unix_secs);
        }
        is_whole
    }

    /// Begins anew as a new process would.
    pub(super) fn restart(&self) {
        let inner = &mut *self.inner();
        *inner = Inner::default();
        self.begin(inner);
    }

    /// Gives away what is kept.
    pub(in crate::engine) fn take(&self) -> Vec<Value> {
        let now = Clock::unix_seconds();
        let kept = &mut self.inner().kept;
        let ready = kept.iter().take_while(|kept| kept.ready_unix_secs <= now);
        let count = ready.count();
        kept.drain(..count).map(|kept| kept.event).collect()
    }

    fn begin(&self, inner: &mut Inner) {
        let data = json!({"type": "created", "num_blocks_per_cache_level": [self.blocks, 0]});
        self.push(inner, &data, 0.0);
    }

    fn push(&self, inner: &mut Inner, data: &Value, ready_unix_secs: f64) -> bool {
        let mut event =
            json!({"event_id": inner.next, "data": data, "window_size": self.window_tokens});
        if let Some(rank) = self.rank {
            event["attention_dp_rank"] = rank.into();
        }
        inner.next += 1;
        if ready_unix_secs.is_finite() {
            inner.kept.push_back(Kept {
                event,
                ready_unix_secs,
            });
        }
        let is_over = inner.kept.len() > self.limit;
        if is_over {
            inner.kept.pop_front();
        }
        !is_over
    }

    fn data(&self, stored: &mut HashSet<BlockHash>, event: &KvEvent) -> Value {
        match event {
            KvEvent::Stored {
                hashes,
                parent,
                tokens,
            } => {
                stored.extend(hashes);
                let blocks = hashes.iter().zip(tokens.chunks(self.block_tokens));
                let blocks: Vec<_> = blocks.map(|(hash, ids)| block(*hash, ids)).collect();
                let parent = parent.map(|hash| hash.0);
                json!({"type": "stored", "parent_hash": parent, "blocks": blocks})
            }
            KvEvent::Removed { hash } => {
                stored.remove(hash);
                json!({"type": "removed", "block_hashes": [hash.0]})
            }
            KvEvent::Cleared => {
                let gone: Vec<u64> = stored.drain().map(|hash| hash.0).collect();
                json!({"type": "removed", "block_hashes": gone})
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn block(hash: BlockHash, ids: &[u32]) -> Value {
    let token = |id: &u32| json!({"type": "unique_token", "token_id": id, "token_extra_id": 0});
    let tokens: Vec<_> = ids.iter().map(token).collect();
    json!({"type": "stored_block", "block_hash": hash.0, "tokens": tokens, "cache_level": 0, "priority": PRIORITY})
}
