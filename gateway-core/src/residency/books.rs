//! The residency as its users see it.

use std::{
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    Claim, Keying, ResidencyConfig, ResidencyStats, Residents, Room, Tier, Trust,
    rules::{Gone, Rules},
};
use crate::{
    BlockHash, EndpointId, Timestamp,
    prefix::{Holder, Lane, PrefixIndex, Retraction, StoreOutcome},
};

/// The lanes that events fill.
const BY_EVENTS: [Lane; 4] = [Lane::Device, Lane::Resident, Lane::Host, Lane::Disk];

/// What each endpoint has of any prompt; see the [module](super).
///
/// Share it by reference or [`Arc`](std::sync::Arc). Events of one endpoint must arrive in their order, from one thread
/// at a time; everything else may come from anywhere. Endpoint numbers beyond [`EndpointId::LIMIT`] are ignored.
#[derive(Debug)]
pub struct Residency {
    index: PrefixIndex,
    config: ResidencyConfig,
    books: Box<[OnceLock<Box<Book>>]>,
    counters: Counters,
}

/// One endpoint's book.
#[derive(Debug)]
struct Book {
    /// Whether it ever reported a lower tier.
    is_tiered: AtomicBool,
    /// Blocks that `rules` knows of: read without the lock.
    own_blocks: AtomicUsize,
    rules: Mutex<Rules>,
}

#[derive(Debug, Default)]
struct Counters {
    confirmed: AtomicU64,
    unconfirmed: AtomicU64,
    expired: AtomicU64,
    evicted: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl Residency {
    /// Nothing known of any endpoint.
    #[must_use]
    pub fn new(config: ResidencyConfig) -> Self {
        Self {
            index: PrefixIndex::new(config.index),
            config,
            books: (0..EndpointId::LIMIT).map(|_| OnceLock::new()).collect(),
            counters: Counters::default(),
        }
    }

    /// Fills `residents` with what each endpoint has of a prompt of `blocks`.
    ///
    /// Takes no lock. What it finds counts as used.
    pub fn lookup(&self, blocks: &[BlockHash], residents: &mut Residents) {
        self.index.lookup(blocks, &mut residents.0);
    }

    /// The index below, with all its lanes.
    #[must_use]
    pub fn index(&self) -> &PrefixIndex {
        &self.index
    }

    /// An event: `endpoint` now has `blocks` in `tier`, a stretch of one chain that follows `parent`.
    pub fn stored(
        &self,
        endpoint: EndpointId,
        tier: Tier,
        parent: Option<BlockHash>,
        blocks: &[BlockHash],
    ) -> StoreOutcome {
        let Some(book) = self.book(endpoint) else {
            return StoreOutcome {
                rejected: blocks.len(),
                ..StoreOutcome::default()
            };
        };
        let holder = |lane| Holder::new(endpoint, lane);
        if tier != Tier::Device && !book.is_tiered.swap(true, Ordering::AcqRel) {
            self.index
                .mirror(holder(Lane::Device), holder(Lane::Resident));
        }
        let outcome = self.index.store(holder(lane_of(tier)), parent, blocks);
        if book.is_tiered.load(Ordering::Acquire) {
            let stored = &blocks[..blocks.len() - outcome.rejected];
            self.index.store(holder(Lane::Resident), parent, stored);
        }
        outcome
    }

    /// An event: `endpoint` no longer has `blocks` in `tier`, in any order; unknown ones are ignored.
    ///
    /// What leaves the device was not kept by the engine, whatever this router expected: its own knowledge of it goes too.
    pub fn removed(&self, endpoint: EndpointId, tier: Tier, blocks: &[BlockHash]) {
        if let Some(book) = self.book(endpoint) {
            let has_own = book.own_blocks.load(Ordering::Acquire) > 0;
            self.retract(
                endpoint,
                book,
                tier,
                tier == Tier::Device && has_own,
                blocks,
            );
        }
    }

    /// Events of `endpoint` are lost: what they said of `blocks` in `tier` counts no more. What this router knows by itself
    /// does.
    pub fn lost_blocks(&self, endpoint: EndpointId, tier: Tier, blocks: &[BlockHash]) {
        if let Some(book) = self.book(endpoint) {
            self.retract(endpoint, book, tier, false, blocks);
        }
    }

    /// Takes blocks from a tier's lane, and with `is_own` from this router's own.
    fn retract(
        &self,
        endpoint: EndpointId,
        book: &Book,
        tier: Tier,
        is_own: bool,
        blocks: &[BlockHash],
    ) {
        let holder = |lane| Holder::new(endpoint, lane);
        let from = [holder(lane_of(tier)), holder(Lane::Own)];
        let is_tiered = book.is_tiered.load(Ordering::Acquire);
        let retraction = Retraction {
            from: &from[..if is_own { 2 } else { 1 }],
            unbacked: is_tiered.then(|| holder(Lane::Resident)),
            backing: &[Lane::Device, Lane::Host, Lane::Disk].map(holder),
            witness: None,
        };
        self.index.retract(&retraction, blocks);
    }

    /// An event: `endpoint` dropped its whole cache, all tiers. Prompts on their way to it are still expected.
    pub fn cleared(&self, endpoint: EndpointId) {
        let Some(book) = self.book(endpoint) else {
            return;
        };
        self.with_rules(endpoint, book, |rules, gone| rules.forget_served(gone));
        self.clear_events(endpoint, book);
    }

    /// Events of `endpoint` are lost, so what they said before counts no more. What this router knows by itself does: the
    /// engine's cache is as it was.
    pub fn lost(&self, endpoint: EndpointId) {
        if let Some(book) = self.book(endpoint) {
            self.clear_events(endpoint, book);
        }
    }

    /// A prompt was sent to `endpoint`: it counts there from now on.
    pub fn placed(
        &self,
        endpoint: EndpointId,
        blocks: &[BlockHash],
        keying: Keying,
        now: Timestamp,
    ) -> Claim {
        let end = self.book(endpoint).and_then(|book| {
            self.with_rules(endpoint, book, |rules, gone| {
                rules.expire(now, &self.config, gone);
                // Before the prompt is entered, which may have the very blocks that are due.
                self.apply(endpoint, &std::mem::take(gone));
                let end = rules.place(blocks, keying, now, &self.config, gone);
                self.index
                    .store(Holder::new(endpoint, Lane::Own), None, blocks);
                end
            })
        });
        Claim {
            endpoint,
            end,
            keying,
        }
    }

    /// The prompt's first token came: the engine has computed its blocks.
    pub fn served(&self, claim: Claim, now: Timestamp) {
        let (Some(book), Some(end)) = (self.book(claim.endpoint), claim.end) else {
            return;
        };
        self.with_rules(claim.endpoint, book, |rules, gone| {
            rules.expire(now, &self.config, gone);
            rules.serve(end, claim.keying, now, &self.config, gone);
        });
    }

    /// The attempt failed before its first token: what nobody else sent there either no longer counts.
    pub fn failed(&self, claim: Claim, now: Timestamp) {
        let (Some(book), Some(end)) = (self.book(claim.endpoint), claim.end) else {
            return;
        };
        self.with_rules(claim.endpoint, book, |rules, gone| {
            rules.expire(now, &self.config, gone);
            rules.fail(end, gone);
        });
    }

    /// Drops what is due at `endpoint`. Requests do it as they pass; call it now and then where none come.
    pub fn expire(&self, endpoint: EndpointId, now: Timestamp) {
        let Some(book) = self.book(endpoint) else {
            return;
        };
        if book.own_blocks.load(Ordering::Acquire) > 0 {
            self.with_rules(endpoint, book, |rules, gone| {
                rules.expire(now, &self.config, gone);
            });
        }
    }

    /// How good the events of `endpoint` are.
    #[must_use]
    pub fn trust(&self, endpoint: EndpointId) -> Trust {
        let book = self.book(endpoint);
        book.map_or(Trust::Fallback, |book| book.rules().trust())
    }

    /// Says how good the events of `endpoint` are.
    ///
    /// Where they become exact, history keyed by tokens goes. Where they are gone altogether, all that they said goes,
    /// since nothing would ever correct it.
    pub fn set_trust(&self, endpoint: EndpointId, trust: Trust) {
        let Some(book) = self.book(endpoint) else {
            return;
        };
        let before = self.with_rules(endpoint, book, |rules, gone| {
            let before = rules.trust();
            rules.set_trust(trust, gone);
            before
        });
        if trust == Trust::Fallback && before != Trust::Fallback {
            self.clear_events(endpoint, book);
        }
    }

    /// Says how many blocks the engine's device has room for: no more of them are remembered.
    pub fn set_capacity(&self, endpoint: EndpointId, blocks: usize) {
        self.set_room(endpoint, Room::of_blocks(blocks));
    }

    /// Says how much the engine's device has room for, where blocks of different kinds count differently.
    pub fn set_room(&self, endpoint: EndpointId, room: Room) {
        if let Some(book) = self.book(endpoint) {
            self.with_rules(endpoint, book, |rules, gone| {
                rules.set_room(room, &self.config, gone);
            });
        }
    }

    /// Says how late the events of `endpoint` come; the grace is longer by so much.
    pub fn set_lag(&self, endpoint: EndpointId, lag: Duration) {
        if let Some(book) = self.book(endpoint) {
            book.rules().set_lag(lag);
        }
    }

    /// The engine restarted: nothing of what it had, or was about to have, counts.
    pub fn forget(&self, endpoint: EndpointId) {
        if let Some(book) = self.book(endpoint) {
            self.with_rules(endpoint, book, |rules, _| rules.forget());
            self.clear_lanes(endpoint, &Lane::ALL);
            book.is_tiered.store(false, Ordering::Release);
        }
    }

    /// The endpoint left the fleet: its number may come to mean another one. Forgets its trust, capacity and lag too.
    pub fn retire(&self, endpoint: EndpointId) {
        if let Some(book) = self.book(endpoint) {
            self.with_rules(endpoint, book, |rules, _| *rules = Rules::new());
            self.clear_lanes(endpoint, &Lane::ALL);
            book.is_tiered.store(false, Ordering::Release);
        }
    }

    /// Sizes and counts. Adds up over all endpoints: for metrics.
    #[must_use]
    pub fn stats(&self) -> ResidencyStats {
        let books = self.books.iter().filter_map(OnceLock::get);
        let own: usize = books
            .map(|book| book.own_blocks.load(Ordering::Relaxed))
            .sum();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ResidencyStats {
            index: self.index.stats(),
            own_blocks: own as u64,
            confirmed: count(&self.counters.confirmed),
            unconfirmed: count(&self.counters.unconfirmed),
            expired: count(&self.counters.expired),
            evicted: count(&self.counters.evicted),
            failed: count(&self.counters.failed),
            dropped: count(&self.counters.dropped),
        }
    }

    /// The book of `endpoint`; `None` if its number is out of range.
    fn book(&self, endpoint: EndpointId) -> Option<&Book> {
        let place = self.books.get(endpoint.index())?;
        Some(place.get_or_init(|| {
            Box::new(Book {
                is_tiered: AtomicBool::new(false),
                own_blocks: AtomicUsize::new(0),
                rules: Mutex::new(Rules::new()),
            })
        }))
    }

    /// One turn of an endpoint's rules, and what follows from it for the index. The lock is held until the index knows,
    /// so that turns reach it in their order.
    fn with_rules<T>(
        &self,
        endpoint: EndpointId,
        book: &Book,
        turn: impl FnOnce(&mut Rules, &mut Gone) -> T,
    ) -> T {
        let (mut rules, mut gone) = (book.rules(), Gone::default());
        let result = turn(&mut rules, &mut gone);
        self.apply(endpoint, &gone);
        book.own_blocks.store(rules.blocks(), Ordering::Release);
        result
    }

    fn apply(&self, endpoint: EndpointId, gone: &Gone) {
        let holder = |lane| Holder::new(endpoint, lane);
        let counters = &self.counters;
        let awaited = Retraction {
            from: &[holder(Lane::Own)],
            witness: Some(holder(Lane::Device)),
            ..Retraction::default()
        };
        let confirmed = self.index.retract(&awaited, &gone.awaited);
        add(&counters.confirmed, confirmed);
        add(&counters.unconfirmed, gone.awaited.len() - confirmed);
        add(&counters.expired, gone.expired.len());
        add(&counters.evicted, gone.evicted.len());
        add(&counters.failed, gone.failed.len());
        counters.dropped.fetch_add(gone.dropped, Ordering::Relaxed);
        for blocks in [&gone.expired, &gone.evicted, &gone.failed, &gone.overridden] {
            self.index.remove(holder(Lane::Own), blocks);
        }
    }

    fn clear_events(&self, endpoint: EndpointId, book: &Book) {
        self.clear_lanes(endpoint, &BY_EVENTS);
        book.is_tiered.store(false, Ordering::Release);
    }

    fn clear_lanes(&self, endpoint: EndpointId, lanes: &[Lane]) {
        let holders: Vec<_> = lanes
            .iter()
            .map(|&lane| Holder::new(endpoint, lane))
            .collect();
        self.index.clear_all(&holders);
    }
}

impl Book {
    /// Rules whose turn panicked are at worst incomplete: the age limit cleans up.
    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lane_of(tier: Tier) -> Lane {
    match tier {
        Tier::Device => Lane::Device,
        Tier::Host => Lane::Host,
        Tier::Disk => Lane::Disk,
    }
}

fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}
