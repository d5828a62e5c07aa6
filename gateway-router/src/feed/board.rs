//! What an endpoint's feeds have told, in one place: the ranks write, the residency hears, metrics read.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gateway_core::{
    EndpointId, Fleet,
    kvfeed::{EndpointFeed, FeedConfig, FeedStats, FeedTrust, Weakness},
    residency::{Residency, Trust},
};

use super::FeedSettings;

/// A change of the lag that is worth telling.
const LAG_STEP: Duration = Duration::from_millis(50);
/// More than that is a clock that jumped, or a feed that nobody should wait for.
const LAG_AT_MOST: Duration = Duration::from_secs(60);

/// An endpoint's feeds now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeedStatus {
    /// How far they are trusted, and why no further.
    pub trust: FeedTrust,
    /// Publishers that are known, one per rank.
    pub sources: u32,
    /// Of those, the ones connected, or listened for.
    pub connected: u32,
    /// Connections made.
    pub connects: u64,
    /// Messages whose frames made no sense; they are in no other count.
    pub broken: u64,
    /// Messages of other data-parallel ranks, whose events were left out.
    pub of_others: u64,
    /// What they have been through.
    pub stats: FeedStats,
}

/// Where the ranks of one endpoint write. Dropping it forgets what they told.
pub(crate) struct Board {
    endpoint: EndpointId,
    name: Arc<str>,
    fleet: Fleet,
    config: FeedConfig,
    inner: Mutex<Inner>,
}

struct Inner {
    feed: EndpointFeed,
    ranks: Vec<Rank>,
    connects: u64,
    broken: u64,
    of_others: u64,
    /// What ranks had been through that are no more.
    before: FeedStats,
    trust: FeedTrust,
    /// As last told the residency.
    lag: Duration,
}

#[derive(Clone, Copy, Default)]
struct Rank {
    is_connected: bool,
    /// Nothing has come for so long that nothing can be on its way.
    is_idle: bool,
}

impl Board {
    pub(super) fn new(
        endpoint: EndpointId,
        name: Arc<str>,
        fleet: Fleet,
        settings: &FeedSettings,
    ) -> Self {
        let config = FeedConfig {
            block_tokens: settings.block_tokens,
            late_after_secs: settings.lag_at_most.as_secs_f64(),
            ..FeedConfig::default()
        };
        let inner = Inner {
            feed: EndpointFeed::new(endpoint, 1, &config),
            ranks: Vec::new(),
            connects: 0,
            broken: 0,
            of_others: 0,
            before: FeedStats::default(),
            trust: FeedTrust::Fallback,
            lag: Duration::ZERO,
        };
        Self {
            endpoint,
            name,
            fleet,
            config,
            inner: Mutex::new(inner),
        }
    }

    /// The endpoint's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Makes place for so many ranks, none of them connected, and forgets what those before them told.
    pub(super) fn expect(&self, ranks: usize) {
        let mut inner = self.inner();
        self.fleet.residency().lost(self.endpoint);
        inner.before = lasting(inner.stats());
        let count = u16::try_from(ranks).unwrap_or(u16::MAX);
        inner.feed = EndpointFeed::new(self.endpoint, count, &self.config);
        inner.ranks = vec![Rank::default(); ranks];
        self.judge(&mut inner);
    }

    /// Notes whether a rank is connected.
    pub(super) fn set_connected(&self, at: u16, is_connected: bool) {
        let mut inner = self.inner();
        inner.connects += u64::from(is_connected);
        if let Some(rank) = inner.ranks.get_mut(usize::from(at)) {
            rank.is_connected = is_connected;
        }
        self.judge(&mut inner);
    }

    /// Notes that a rank sent what is no message.
    pub(super) fn broken(&self) {
        self.inner().broken += 1;
    }

    /// Notes that a message told of another rank.
    pub(super) fn of_another(&self) {
        self.inner().of_others += 1;
    }

    /// Notes that nothing more is on its way from a rank.
    pub(super) fn idle(&self, at: u16) {
        let mut inner = self.inner();
        if let Some(rank) = inner.ranks.get_mut(usize::from(at)) {
            rank.is_idle = true;
        }
        self.judge(&mut inner);
    }

    /// Applies what a rank has to say.
    pub(super) fn apply<R>(
        &self,
        at: u16,
        step: impl FnOnce(&mut EndpointFeed, &mut &Residency) -> R,
    ) -> R {
        let mut inner = self.inner();
        let mut residency: &Residency = self.fleet.residency();
        let result = step(&mut inner.feed, &mut residency);
        if let Some(rank) = inner.ranks.get_mut(usize::from(at)) {
            rank.is_idle = false;
        }
        self.judge(&mut inner);
        result
    }

    /// What is known now.
    pub(crate) fn read(&self) -> FeedStatus {
        let inner = self.inner();
        let connected = inner.ranks.iter().filter(|rank| rank.is_connected).count();
        let mut stats = inner.stats();
        if inner.is_idle() {
            stats.lag_secs = stats.lag_secs.map(|_| 0.0);
        }
        FeedStatus {
            trust: inner.trust,
            sources: u32::try_from(inner.ranks.len()).unwrap_or(u32::MAX),
            connected: u32::try_from(connected).unwrap_or(u32::MAX),
            connects: inner.connects,
            broken: inner.broken,
            of_others: inner.of_others,
            stats,
        }
    }

    /// Whether a rank's last message came late and nothing has come since.
    pub(super) fn is_late(&self) -> bool {
        self.inner().trust == FeedTrust::Degraded(Weakness::Late)
    }

    fn judge(&self, inner: &mut Inner) {
        self.note_lag(inner);
        let trust = inner.judge();
        if trust != inner.trust {
            let before = std::mem::replace(&mut inner.trust, trust);
            let residency = self.fleet.residency();
            residency.set_trust(self.endpoint, in_short(trust));
            self.tell(before, trust);
        }
    }

    /// Tells the residency how late events come, where that has changed by more than chance.
    fn note_lag(&self, inner: &mut Inner) {
        let lag = inner.stats().lag_secs.filter(|_| !inner.is_idle());
        let lag = Duration::try_from_secs_f64(lag.unwrap_or_default()).unwrap_or_default();
        let lag = lag.min(LAG_AT_MOST);
        if lag.abs_diff(inner.lag) >= LAG_STEP {
            inner.lag = lag;
            self.fleet.residency().set_lag(self.endpoint, lag);
        }
    }

    fn tell(&self, before: FeedTrust, trust: FeedTrust) {
        let endpoint = &*self.name;
        match trust {
            // Every gap passes through here; only what comes of it is news.
            FeedTrust::Degraded(Weakness::Replaying) => {
                tracing::debug!(endpoint, "missed KV events are asked for");
            }
            FeedTrust::Exact if before == FeedTrust::Degraded(Weakness::Replaying) => {
                tracing::debug!(endpoint, "KV events are complete");
            }
            FeedTrust::Exact => tracing::info!(endpoint, "KV events are complete and in time"),
            FeedTrust::Degraded(weakness) => {
                let weakness = weakness.name();
                tracing::warn!(endpoint, weakness, "KV events are trusted less");
            }
            FeedTrust::Fallback => {
                tracing::warn!(endpoint, "KV events are lost; its cache is guessed");
            }
        }
    }

    /// Each lock guards one step.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let residency = self.fleet.residency();
        residency.lost(self.endpoint);
        residency.set_trust(self.endpoint, Trust::Fallback);
    }
}

impl Inner {
    fn judge(&self) -> FeedTrust {
        if self.ranks.is_empty() {
            return FeedTrust::Fallback;
        }
        match self.feed.trust() {
            FeedTrust::Degraded(Weakness::Late) if self.is_idle() => FeedTrust::Exact,
            trust => trust,
        }
    }

    fn is_idle(&self) -> bool {
        self.ranks.iter().all(|rank| rank.is_idle)
    }

    fn stats(&self) -> FeedStats {
        self.before.plus(self.feed.stats())
    }
}

/// The part of a source's past that is still true when it is no more.
fn lasting(stats: FeedStats) -> FeedStats {
    FeedStats {
        blocks: 0,
        held: 0,
        published_unix_secs: None,
        lag_secs: None,
        ..stats
    }
}

fn in_short(trust: FeedTrust) -> Trust {
    match trust {
        FeedTrust::Exact => Trust::Exact,
        FeedTrust::Degraded(_) => Trust::Degraded,
        FeedTrust::Fallback => Trust::Fallback,
    }
}
