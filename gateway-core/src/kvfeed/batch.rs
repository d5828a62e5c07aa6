//! One message of an engine: events in the order in which they happened, kept flat so that a reused batch allocates nothing.

use std::ops::Range;

use super::{Mark, Tier};

/// An engine's own name of a block: 64 bits of its chained hash, whatever the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EngineHash(pub u64);

/// What happened to an engine's cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KvEvent<'a> {
    /// A stretch of one chain of blocks is in a tier now.
    Stored(Stored<'a>),
    /// Blocks are gone from a tier.
    Removed(Removed<'a>),
    /// All is gone, from all tiers.
    Cleared,
}

/// Blocks that a tier holds now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stored<'a> {
    /// The blocks, in the order of the prompt.
    pub hashes: &'a [EngineHash],
    /// Token ids of all blocks, one after the other; empty where the engine only names blocks that it announced before.
    pub tokens: &'a [u32],
    /// Contents that the token ids do not name, by block.
    pub marks: &'a [Mark],
    /// The rest.
    pub origin: Origin,
}

/// Where stored blocks belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The block before the first; `None` at the start of a prompt.
    pub parent: Option<EngineHash>,
    /// Tokens in one of the engine's blocks.
    pub block_tokens: u32,
    /// The start of the chain, from [`token_seed`](super::token_seed); means nothing below a parent.
    pub seed: u64,
    /// Where the blocks lie.
    pub tier: Tier,
    /// The engine's cache group, 0 where it has but one.
    pub group: u32,
    /// Whether the group keeps every token: a window or a state says nothing about a whole prefix.
    pub dense: bool,
}

/// Blocks that a tier lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed<'a> {
    /// The blocks, in any order.
    pub hashes: &'a [EngineHash],
    /// Where they lay.
    pub tier: Tier,
    /// The engine's cache group, `None` where it does not say.
    pub group: Option<u32>,
}

/// One message of an engine, to be [`reset`](Self::reset) and filled again.
///
/// A codec pushes an event's parts and closes the event with [`stored`](Self::stored), [`removed`](Self::removed) or
/// [`cleared`](Self::cleared).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KvBatch {
    published_unix_secs: Option<f64>,
    rank: Option<u32>,
    unknown: u32,
    records: Vec<Record>,
    hashes: Vec<EngineHash>,
    tokens: Vec<u32>,
    marks: Vec<Mark>,
    sealed: Ends,
}

/// How far each list reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Ends {
    hashes: usize,
    tokens: usize,
    marks: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Record {
    kind: Kind,
    ends: Ends,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Stored(Origin),
    Removed { tier: Tier, group: Option<u32> },
    Cleared,
}

impl KvBatch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a message: when the engine published it, in seconds of Unix time, and its data-parallel rank.
    pub fn reset(&mut self, published_unix_secs: Option<f64>, rank: Option<u32>) {
        self.published_unix_secs = published_unix_secs.filter(|secs| secs.is_finite());
        self.rank = rank;
        self.unknown = 0;
        self.records.clear();
        self.hashes.clear();
        self.tokens.clear();
        self.marks.clear();
        self.sealed = Ends::default();
    }

    /// Names the rank that a message carries behind its events.
    pub fn set_rank(&mut self, rank: Option<u32>) {
        self.rank = rank;
    }

    /// The blocks of the event that is being built; append only.
    pub fn hashes_mut(&mut self) -> &mut Vec<EngineHash> {
        &mut self.hashes
    }

    /// The token ids of the event that is being built; append only.
    pub fn tokens_mut(&mut self) -> &mut Vec<u32> {
        &mut self.tokens
    }

    /// Marks a block of the event that is being built.
    pub fn mark(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    /// Closes a store of what was pushed.
    pub fn stored(&mut self, origin: Origin) {
        self.seal(Kind::Stored(origin));
    }

    /// Closes a removal of the pushed blocks.
    pub fn removed(&mut self, tier: Tier, group: Option<u32>) {
        self.seal(Kind::Removed { tier, group });
    }

    /// Adds a clear.
    pub fn cleared(&mut self) {
        self.seal(Kind::Cleared);
    }

    /// Throws away what was pushed and counts an event that nobody here understands or needs.
    pub fn unknown(&mut self) {
        self.unknown += 1;
        self.hashes.truncate(self.sealed.hashes);
        self.tokens.truncate(self.sealed.tokens);
        self.marks.truncate(self.sealed.marks);
    }

    fn seal(&mut self, kind: Kind) {
        let ends = Ends {
            hashes: self.hashes.len(),
            tokens: self.tokens.len(),
            marks: self.marks.len(),
        };
        self.records.push(Record { kind, ends });
        self.sealed = ends;
    }

    /// When the engine published the message, in seconds of Unix time by its own clock.
    #[must_use]
    pub fn published_unix_secs(&self) -> Option<f64> {
        self.published_unix_secs
    }

    /// The engine's data-parallel rank, where it says so.
    #[must_use]
    pub fn rank(&self) -> Option<u32> {
        self.rank
    }

    /// Events that were left out because nobody here understands or needs them.
    #[must_use]
    pub fn unknown_events(&self) -> u32 {
        self.unknown
    }

    /// Bytes that the message occupies here: what holding a copy of it costs.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        size_of::<Self>()
            + self.records.len() * size_of::<Record>()
            + size_of_val(self.hashes.as_slice())
            + size_of_val(self.tokens.as_slice())
            + size_of_val(self.marks.as_slice())
    }

    /// The events, oldest first.
    pub fn events(&self) -> impl Iterator<Item = KvEvent<'_>> {
        let mut from = Ends::default();
        self.records.iter().map(move |record| {
            let start = std::mem::replace(&mut from, record.ends);
            self.event(record, start)
        })
    }

    fn event(&self, record: &Record, start: Ends) -> KvEvent<'_> {
        let hashes = part(&self.hashes, start.hashes..record.ends.hashes);
        match record.kind {
            Kind::Stored(origin) => KvEvent::Stored(Stored {
                hashes,
                tokens: part(&self.tokens, start.tokens..record.ends.tokens),
                marks: part(&self.marks, start.marks..record.ends.marks),
                origin,
            }),
            Kind::Removed { tier, group } => KvEvent::Removed(Removed {
                hashes,
                tier,
                group,
            }),
            Kind::Cleared => KvEvent::Cleared,
        }
    }
}

/// A list's part; nothing where somebody shortened the list against its contract.
fn part<T>(list: &[T], range: Range<usize>) -> &[T] {
    list.get(range).unwrap_or_default()
}
