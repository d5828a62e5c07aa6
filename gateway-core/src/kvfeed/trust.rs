//! How far a feed may be trusted, and what it has been through.

/// How far what a feed says may be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeedTrust {
    /// Complete and timely.
    Exact,
    /// What it names is true as far as known, but not all, or late.
    Degraded(Weakness),
    /// Nothing is known.
    #[default]
    Fallback,
}

/// Why a feed is not exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weakness {
    /// Events come late.
    Late,
    /// Messages are missing and have been asked for.
    Replaying,
    /// More blocks than the limit allows.
    Full,
    /// Stores did not fit what was known: something was missed, or the engine's events are odd.
    Orphans,
    /// Messages are lost; what was known before was dropped.
    Resynced,
}

impl Weakness {
    /// A short name for metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Replaying => "replaying",
            Self::Full => "full",
            Self::Orphans => "orphans",
            Self::Resynced => "resynced",
        }
    }
}

/// What a feed has been through; counts grow from the start, the rest is as of now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FeedStats {
    /// Messages applied.
    pub batches: u64,
    /// Events applied.
    pub events: u64,
    /// Blocks of the engine that entered a tier.
    pub stored: u64,
    /// Blocks of the engine that left a tier.
    pub removed: u64,
    /// Clears of the whole cache.
    pub clears: u64,
    /// Gaps in the sequence.
    pub gaps: u64,
    /// Replays asked for.
    pub replays: u64,
    /// Losses that no replay could fill: the source's state was dropped.
    pub resyncs: u64,
    /// Starts of the publisher anew.
    pub restarts: u64,
    /// Messages that came again.
    pub duplicates: u64,
    /// Messages that could not be read.
    pub decode_errors: u64,
    /// Events of unknown kinds, or about other engines' blocks.
    pub unknown_events: u64,
    /// Events of cache groups that say nothing about whole prefixes.
    pub ignored_groups: u64,
    /// Blocks stored after an unknown one.
    pub orphans: u64,
    /// Blocks stored with numbers that do not fit each other.
    pub malformed: u64,
    /// Blocks refused because the limit is reached.
    pub refused: u64,
    /// Blocks removed that were not known.
    pub unknown_removed: u64,
    /// Blocks of the engine known now.
    pub blocks: usize,
    /// Messages held until a replay has filled the gap before them.
    pub held: usize,
    /// When the last message was published, in seconds of Unix time by the engine's clock.
    pub published_unix_secs: Option<f64>,
    /// How long the last message was on its way, in seconds; never negative.
    pub lag_secs: Option<f64>,
}

impl FeedStats {
    /// These and those of another source of the same endpoint: sums, the newest message, the longest way.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            batches: self.batches + other.batches,
            events: self.events + other.events,
            stored: self.stored + other.stored,
            removed: self.removed + other.removed,
            clears: self.clears + other.clears,
            gaps: self.gaps + other.gaps,
            replays: self.replays + other.replays,
            resyncs: self.resyncs + other.resyncs,
            restarts: self.restarts + other.restarts,
            duplicates: self.duplicates + other.duplicates,
            decode_errors: self.decode_errors + other.decode_errors,
            unknown_events: self.unknown_events + other.unknown_events,
            ignored_groups: self.ignored_groups + other.ignored_groups,
            orphans: self.orphans + other.orphans,
            malformed: self.malformed + other.malformed,
            refused: self.refused + other.refused,
            unknown_removed: self.unknown_removed + other.unknown_removed,
            blocks: self.blocks + other.blocks,
            held: self.held + other.held,
            published_unix_secs: later(self.published_unix_secs, other.published_unix_secs),
            lag_secs: later(self.lag_secs, other.lag_secs),
        }
    }
}

fn later(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (some, None) | (None, some) => some,
    }
}
