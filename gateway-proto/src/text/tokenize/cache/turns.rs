//! Encoding of conversations.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::boundary::Cut;
use super::super::error::TokenizerError;
use super::super::tokenizer::Tokenizer;
use super::node::{Node, ROOT, key};
use super::shard::Shard;
use super::stats::{CacheStats, Counters};

/// Segments are at least so long, in bytes: shorter ones are joined with what follows.
const SEGMENT_BYTES: usize = 64;
/// Locks, a power of two.
const SHARDS: usize = 16;

/// Size of a [`TurnCache`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// The most that is held, in bytes, texts included. 0 switches the cache off.
    pub limit_bytes: usize,
}

impl Default for CacheConfig {
    /// 64 MiB: about eight million tokens.
    fn default() -> Self {
        Self {
            limit_bytes: 64 << 20,
        }
    }
}

/// The ids of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// All of them.
    pub ids: Vec<u32>,
    /// How many of them were remembered, not encoded.
    pub cached_tokens: usize,
}

/// A tokenizer that remembers the prefixes of texts, so that a turn of a conversation costs what is new in it.
///
/// The ids are those of [`Tokenizer::encode`], bit for bit. Held memory is bounded. Shared between threads by reference;
/// nothing is locked while a text is encoded.
#[derive(Debug)]
pub struct TurnCache {
    tokenizer: Arc<Tokenizer>,
    shards: Vec<Mutex<Shard>>,
    shard_limit_bytes: usize,
    next_serial: AtomicU64,
    counters: Counters,
}

/// How far a text has been encoded.
struct Progress {
    ids: Vec<u32>,
    /// The prefix so far.
    parent: u64,
    /// Its end.
    at: usize,
    /// Where to encode from: the token before `at`, or the start of the text.
    anchor: usize,
}

impl TurnCache {
    /// An empty cache before `tokenizer`.
    #[must_use]
    pub fn new(tokenizer: Arc<Tokenizer>, config: &CacheConfig) -> Self {
        Self {
            tokenizer,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shard_limit_bytes: config.limit_bytes / SHARDS,
            next_serial: AtomicU64::new(ROOT + 1),
            counters: Counters::default(),
        }
    }

    /// The tokenizer behind it.
    #[must_use]
    pub fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    /// Whether anything is ever remembered: not without memory, nor where no boundary is safe
    /// ([`Boundaries::refusal`](super::super::Boundaries::refusal) says why).
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.shard_limit_bytes > 0 && self.tokenizer.boundaries().refusal().is_none()
    }

    /// The ids of `text`, as [`Tokenizer::encode`] gives them.
    ///
    /// # Errors
    /// As there.
    pub fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Encoded, TokenizerError> {
        let around = self.tokenizer.around(add_special_tokens);
        let Some(around) = around.filter(|_| self.is_active()) else {
            let ids = self.tokenizer.encode(text, add_special_tokens)?;
            Counters::add(&self.counters.encoded_tokens, ids.len());
            return Ok(Encoded {
                ids,
                cached_tokens: 0,
            });
        };
        let cuts = self.cuts(text);
        let mut progress = Progress {
            ids: around.before.clone(),
            parent: ROOT,
            at: 0,
            anchor: 0,
        };
        let found = self.recall(text, &cuts, &mut progress);
        let cached_tokens = progress.ids.len() - around.before.len();
        for cut in &cuts[found..] {
            self.learn(text, *cut, &mut progress)?;
        }
        self.encode_up_to(text, text.len(), &mut progress)?;
        let encoded_tokens = progress.ids.len() - around.before.len() - cached_tokens;
        progress.ids.extend_from_slice(&around.after);
        self.count(found, cuts.len() - found, cached_tokens, encoded_tokens);
        Ok(Encoded {
            ids: progress.ids,
            cached_tokens,
        })
    }

    /// Ends of segments. They depend on what is before them alone.
    fn cuts(&self, text: &str) -> Vec<Cut> {
        let mut cuts = Vec::new();
        self.tokenizer.boundaries().cuts(text, &mut cuts);
        let mut last = 0;
        cuts.retain(|cut| {
            let is_long = cut.end - last >= SEGMENT_BYTES;
            if is_long {
                last = cut.end;
            }
            is_long
        });
        cuts
    }

    /// Takes all segments that are known, up to the first that is not; returns how many.
    fn recall(&self, text: &str, cuts: &[Cut], progress: &mut Progress) -> usize {
        for (index, cut) in cuts.iter().enumerate() {
            let segment = &text[progress.at..cut.end];
            let Some(node) = self.find(progress.parent, segment) else {
                return index;
            };
            progress.ids.extend_from_slice(&node.ids);
            progress.pass(node.serial, *cut);
        }
        cuts.len()
    }

    fn find(&self, parent: u64, segment: &str) -> Option<Arc<Node>> {
        let key = key(parent, segment);
        let node = self.shard(key).find(key)?;
        node.is(parent, segment).then_some(node)
    }

    /// Encodes the segment that ends at `cut` and keeps it.
    fn learn(&self, text: &str, cut: Cut, progress: &mut Progress) -> Result<(), TokenizerError> {
        let start = progress.ids.len();
        let segment = &text[progress.at..cut.end];
        self.encode_up_to(text, cut.end, progress)?;
        if let Some(node) = self.find(progress.parent, segment) {
            // Another thread was faster: what it keeps behind this segment stays within reach.
            progress.pass(node.serial, cut);
            return Ok(());
        }
        let serial = self.next_serial.fetch_add(1, Ordering::Relaxed);
        let ids = &progress.ids[start..];
        if Node::weigh(segment, ids) > self.shard_limit_bytes {
            Counters::add(&self.counters.rejected, 1);
        } else {
            let node = Node::new(serial, progress.parent, segment, ids);
            let key = key(progress.parent, segment);
            let evicted = self
                .shard(key)
                .insert(key, Arc::new(node), self.shard_limit_bytes);
            self.counters
                .evictions
                .fetch_add(evicted, Ordering::Relaxed);
        }
        progress.pass(serial, cut);
        Ok(())
    }

    fn encode_up_to(
        &self,
        text: &str,
        end: usize,
        progress: &mut Progress,
    ) -> Result<(), TokenizerError> {
        if progress.at == end {
            return Ok(());
        }
        let dropped = usize::from(progress.at > 0);
        let part = &text[progress.anchor..end];
        self.tokenizer.encode_into(part, &mut progress.ids, dropped)
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, Shard> {
        // The map within a shard uses the low bits.
        let index = (key >> 32) as usize % SHARDS;
        let shard = self.shards[index].lock();
        shard.unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, hits: usize, misses: usize, cached_tokens: usize, encoded_tokens: usize) {
        Counters::add(&self.counters.hits, hits);
        Counters::add(&self.counters.misses, misses);
        Counters::add(&self.counters.cached_tokens, cached_tokens);
        Counters::add(&self.counters.encoded_tokens, encoded_tokens);
    }

    /// What was done since the start, and what is held now.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let mut stats = self.counters.read();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            stats.entries += shard.len();
            stats.bytes += shard.bytes();
        }
        stats
    }
}

impl Progress {
    /// The segment up to `cut` is done; `serial` stands for the prefix with it.
    fn pass(&mut self, serial: u64, cut: Cut) {
        self.parent = serial;
        self.at = cut.end;
        self.anchor = cut.anchor;
    }
}
