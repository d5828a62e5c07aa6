//! Gaps, replays, restarts, and what is bounded.

use super::rig::{Told, config, keys, removed, stored};
use crate::EndpointId;
use crate::kvfeed::{FeedConfig, FeedStep, FeedTracker, FeedTrust, KvBatch, Weakness};

const RESYNCED: FeedTrust = FeedTrust::Degraded(Weakness::Resynced);
const REPLAYING: FeedTrust = FeedTrust::Degraded(Weakness::Replaying);

/// Message `seq` of an engine that stores another prompt of two blocks with each.
fn message(seq: u32) -> KvBatch {
    stored(&prompt(seq), 16, f64::from(seq))
}

fn prompt(seq: u32) -> Vec<u32> {
    (seq * 1000..seq * 1000 + 32).collect()
}

fn known(of: impl IntoIterator<Item = u32>) -> Vec<crate::BlockHash> {
    let mut all: Vec<_> = of
        .into_iter()
        .flat_map(|seq| keys(&prompt(seq), 16))
        .collect();
    all.sort_unstable();
    all
}

struct Rig {
    tracker: FeedTracker,
    told: Told,
}

impl Rig {
    fn new() -> Self {
        Self::with(&config(16))
    }

    fn with(config: &FeedConfig) -> Self {
        Self {
            tracker: FeedTracker::new(EndpointId(0), config),
            told: Told::default(),
        }
    }

    fn live(&mut self, seq: u32) -> FeedStep {
        let batch = message(seq);
        self.tracker
            .live(u64::from(seq), &batch, f64::from(seq), &mut self.told)
    }

    fn replayed(&mut self, seq: u32) -> FeedStep {
        let batch = message(seq);
        self.tracker
            .replayed(u64::from(seq), &batch, &mut self.told)
    }

    fn in_step(upto: u32) -> Self {
        let mut rig = Self::new();
        for seq in 0..upto {
            assert_eq!(rig.live(seq), FeedStep::Applied);
        }
        rig
    }
}

#[test]
fn nothing_is_known_before_the_first_message() {
    let mut rig = Rig::new();
    assert_eq!(rig.tracker.trust(), FeedTrust::Fallback);
    assert_eq!(rig.live(0), FeedStep::Applied);
    assert_eq!(rig.tracker.trust(), FeedTrust::Exact);
    rig.tracker.reset(&mut rig.told);
    assert_eq!(rig.tracker.trust(), FeedTrust::Fallback);
    assert!(rig.told.held.is_empty());
}

#[test]
fn a_gap_is_filled_by_a_replay_that_overlaps_on_both_sides() {
    let mut rig = Rig::in_step(3);
    assert_eq!(rig.live(5), FeedStep::Replay { from: 2 });
    assert_eq!(rig.live(6), FeedStep::Held);
    assert_eq!(rig.tracker.trust(), REPLAYING);
    assert_eq!(rig.tracker.stats().held, 2);
    assert_eq!(rig.replayed(2), FeedStep::Ignored);
    for seq in 3..5 {
        assert_eq!(rig.replayed(seq), FeedStep::Applied);
    }
    assert_eq!(rig.replayed(5), FeedStep::Ignored);
    assert_eq!(rig.tracker.replay_ended(&mut rig.told), FeedStep::Ignored);
    assert_eq!(rig.told.device(), known(0..7));
    assert_eq!(rig.tracker.trust(), FeedTrust::Exact);
    assert_eq!(rig.live(7), FeedStep::Applied);
    assert_eq!(rig.told.clears, 0);
}

#[test]
fn a_gap_that_stays_drops_what_was_known_before_it() {
    let mut rig = Rig::in_step(3);
    assert_eq!(rig.live(5), FeedStep::Replay { from: 2 });
    assert_eq!(rig.tracker.replay_ended(&mut rig.told), FeedStep::Applied);
    assert_eq!(rig.told.device(), known([5]));
    assert_eq!((rig.tracker.trust(), rig.told.losses), (RESYNCED, 1));
    assert_eq!(rig.live(6), FeedStep::Applied);
    assert_eq!(rig.told.device(), known([5, 6]));
}

#[test]
fn a_replay_that_starts_too_late_counts_from_where_it_starts() {
    let mut rig = Rig::in_step(3);
    assert_eq!(rig.live(8), FeedStep::Replay { from: 2 });
    for seq in 6..8 {
        assert_eq!(rig.replayed(seq), FeedStep::Applied);
    }
    assert_eq!(rig.told.device(), known(6..9));
    assert_eq!(rig.tracker.trust(), RESYNCED);
}

#[test]
fn a_second_gap_among_held_messages_is_asked_for_too() {
    let mut rig = Rig::in_step(1);
    assert_eq!(rig.live(2), FeedStep::Replay { from: 0 });
    assert_eq!(rig.live(4), FeedStep::Held);
    assert_eq!(
        rig.tracker.replay_failed(&mut rig.told),
        FeedStep::Replay { from: 2 }
    );
    assert_eq!(rig.replayed(2), FeedStep::Ignored);
    assert_eq!(rig.replayed(3), FeedStep::Applied);
    assert_eq!(rig.told.device(), known(2..5));
}

#[test]
fn a_late_joiner_asks_for_everything() {
    let mut rig = Rig::new();
    assert_eq!(rig.tracker.connected(), FeedStep::Replay { from: 0 });
    assert_eq!(rig.live(2), FeedStep::Held);
    assert_eq!(rig.replayed(0), FeedStep::Applied);
    assert_eq!(rig.replayed(1), FeedStep::Applied);
    assert_eq!(rig.tracker.trust(), FeedTrust::Exact);
    assert_eq!(rig.told.device(), known(0..3));
}

#[test]
fn messages_that_a_replay_brought_first_are_no_restart() {
    let mut rig = Rig::new();
    assert_eq!(rig.tracker.connected(), FeedStep::Replay { from: 0 });
    for seq in 0..4 {
        assert_eq!(rig.replayed(seq), FeedStep::Applied);
    }
    assert_eq!(rig.tracker.replay_ended(&mut rig.told), FeedStep::Ignored);
    for seq in 2..4 {
        assert_eq!(rig.live(seq), FeedStep::Ignored);
    }
    assert_eq!(rig.live(4), FeedStep::Applied);
    assert_eq!((rig.told.clears, rig.tracker.stats().duplicates), (0, 2));
}

#[test]
fn without_a_replay_a_late_joiner_is_never_exact() {
    let mut rig = Rig::new();
    assert_eq!(rig.tracker.connected(), FeedStep::Replay { from: 0 });
    assert_eq!(rig.tracker.replay_failed(&mut rig.told), FeedStep::Ignored);
    assert_eq!(rig.tracker.trust(), FeedTrust::Fallback);
    assert_eq!(rig.live(7), FeedStep::Replay { from: 0 });
    assert_eq!(rig.tracker.replay_failed(&mut rig.told), FeedStep::Applied);
    assert_eq!(rig.tracker.trust(), RESYNCED);
    assert_eq!(rig.told.device(), known([7]));
}

#[test]
fn a_number_that_was_passed_means_a_restart() {
    let mut rig = Rig::in_step(5);
    assert_eq!(rig.live(0), FeedStep::Applied);
    assert_eq!(rig.told.device(), known([0]));
    assert_eq!(rig.tracker.trust(), FeedTrust::Exact);
    let mut rig = Rig::in_step(5);
    assert_eq!(rig.live(2), FeedStep::Replay { from: 0 });
    assert_eq!(rig.told.device(), known([]));
    assert_eq!(rig.replayed(0), FeedStep::Applied);
    assert_eq!(rig.replayed(1), FeedStep::Applied);
    assert_eq!(rig.told.device(), known(0..3));
    assert_eq!(rig.tracker.stats().restarts, 1);
}

#[test]
fn a_restart_that_looks_like_a_gap_is_seen_by_its_time() {
    let mut rig = Rig::in_step(3);
    assert_eq!(rig.live(6), FeedStep::Replay { from: 2 });
    let other = stored(&prompt(40), 16, 77.0);
    let step = rig.tracker.replayed(2, &other, &mut rig.told);
    assert_eq!(step, FeedStep::Replay { from: 0 });
    assert!(rig.told.held.is_empty());
    assert_eq!(rig.tracker.stats().restarts, 1);
}

#[test]
fn held_messages_are_bounded() {
    let limited = FeedConfig {
        held_limit_bytes: message(0).weight_bytes() * 2,
        ..config(16)
    };
    let mut rig = Rig::with(&limited);
    assert_eq!(rig.live(0), FeedStep::Applied);
    assert_eq!(rig.live(2), FeedStep::Replay { from: 0 });
    assert_eq!(rig.live(3), FeedStep::Held);
    assert_eq!(rig.live(4), FeedStep::Applied);
    assert_eq!(rig.told.device(), known(2..5));
    assert_eq!(
        (rig.tracker.trust(), rig.tracker.stats().held),
        (RESYNCED, 0)
    );
}

#[test]
fn a_message_that_cannot_be_read_is_a_loss() {
    let mut rig = Rig::in_step(2);
    rig.tracker.undecodable(2, &mut rig.told);
    assert_eq!((rig.tracker.trust(), rig.told.held.len()), (RESYNCED, 0));
    assert_eq!(rig.live(3), FeedStep::Applied);
    assert_eq!(rig.tracker.stats().decode_errors, 1);
}

#[test]
fn one_that_cannot_be_read_in_a_replay_is_asked_for_once() {
    let mut rig = Rig::in_step(1);
    assert_eq!(rig.live(3), FeedStep::Replay { from: 0 });
    rig.tracker.undecodable(1, &mut rig.told);
    assert_eq!(rig.replayed(2), FeedStep::Applied);
    assert_eq!(rig.live(4), FeedStep::Applied);
    assert_eq!(rig.told.device(), known(2..5));
    assert_eq!(rig.tracker.stats().replays, 1);
}

#[test]
fn a_late_feed_is_trusted_again_when_it_has_caught_up() {
    let mut rig = Rig::in_step(1);
    let lived = rig.tracker.live(1, &message(1), 9.0, &mut rig.told);
    assert_eq!(lived, FeedStep::Applied);
    assert_eq!(rig.tracker.trust(), FeedTrust::Degraded(Weakness::Late));
    assert_eq!(rig.tracker.stats().lag_secs, Some(8.0));
    assert_eq!(rig.live(2), FeedStep::Applied);
    assert_eq!(rig.tracker.trust(), FeedTrust::Exact);
    // A clock that jumped back is no lag.
    let lived = rig
        .tracker
        .live(3, &message(3), f64::NEG_INFINITY, &mut rig.told);
    assert_eq!(
        (lived, rig.tracker.stats().lag_secs),
        (FeedStep::Applied, Some(0.0))
    );
}

#[test]
fn lost_trust_comes_back_with_a_clear_or_when_all_that_goes_is_known() {
    let mut rig = Rig::new();
    rig.tracker.undecodable(0, &mut rig.told);
    let mut cleared = KvBatch::new();
    cleared.cleared();
    let lived = rig.tracker.live(1, &cleared, 0.0, &mut rig.told);
    assert_eq!(
        (lived, rig.tracker.trust()),
        (FeedStep::Applied, FeedTrust::Exact)
    );

    rig.tracker.undecodable(2, &mut rig.told);
    let long: Vec<u32> = (0..2000).collect();
    let _ = rig
        .tracker
        .live(3, &stored(&long, 1, 0.0), 0.0, &mut rig.told);
    for (seq, len) in (4..).zip((900..2000).rev()) {
        let gone = removed(&long[..=len], 0.0);
        let _ = rig.tracker.live(seq, &gone, 0.0, &mut rig.told);
        assert_eq!(
            rig.tracker.trust() == FeedTrust::Exact,
            seq - 3 >= 1024,
            "{seq}"
        );
    }
}

#[test]
fn the_largest_numbers_do_no_harm() {
    let mut rig = Rig::in_step(1);
    let last = rig.tracker.live(u64::MAX, &message(1), 0.0, &mut rig.told);
    assert_eq!(last, FeedStep::Replay { from: 0 });
    let replayed = rig.tracker.replayed(u64::MAX, &message(1), &mut rig.told);
    assert_eq!(replayed, FeedStep::Applied);
    rig.tracker.undecodable(u64::MAX, &mut rig.told);
    assert_eq!(rig.tracker.stats().held, 0);
}
