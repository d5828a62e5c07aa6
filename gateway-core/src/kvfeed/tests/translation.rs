//! What keys mean, and events that are odd.

use super::rig::{Told, config, engine_hash, keys, origin, removed, stored};
use crate::kvfeed::{
    EngineHash, FeedConfig, FeedTracker, FeedTrust, KvBatch, Mark, Origin, Tier, Weakness,
    token_seed,
};
use crate::{EndpointId, hash};

fn apply(config: &FeedConfig, batches: &[KvBatch]) -> (FeedTracker, Told) {
    let mut tracker = FeedTracker::new(EndpointId(0), config);
    let mut told = Told::default();
    for (seq, batch) in (0..).zip(batches) {
        let _ = tracker.live(seq, batch, 0.0, &mut told);
    }
    (tracker, told)
}

fn one(hash: u64, tokens: &[u32], origin: Origin) -> KvBatch {
    let mut batch = KvBatch::new();
    batch.hashes_mut().push(EngineHash(hash));
    batch.tokens_mut().extend(tokens);
    batch.stored(origin);
    batch
}

#[test]
fn adapter_and_salt_are_in_the_key_and_pass_on_to_what_follows() {
    let tokens: Vec<u32> = (0..32).collect();
    let seed = token_seed(b"lora", b"salt");
    let root = Origin {
        seed,
        ..origin(16, None, Tier::Device)
    };
    let child = origin(16, Some(EngineHash(1)), Tier::Device);
    let (_, told) = apply(
        &config(16),
        &[one(1, &tokens[..16], root), one(2, &tokens[16..], child)],
    );
    let mut expected = Vec::new();
    hash::hash_tokens(seed, &tokens, 16, &mut expected);
    expected.sort_unstable();
    assert_eq!(told.device(), expected);
    assert!(keys(&tokens, 16).iter().all(|key| !expected.contains(key)));
}

#[test]
fn a_mark_changes_its_block_and_what_follows() {
    let tokens: Vec<u32> = (0..48).collect();
    let mut batch = KvBatch::new();
    batch.hashes_mut().extend([1, 2, 3].map(EngineHash));
    batch.tokens_mut().extend(&tokens);
    batch.mark(Mark {
        block: 1,
        fingerprint: 99,
    });
    batch.mark(Mark {
        block: 9,
        fingerprint: 99,
    });
    batch.stored(origin(16, None, Tier::Device));
    let (_, told) = apply(&config(16), &[batch]);
    let plain = keys(&tokens, 16);
    let same = told.device().into_iter().filter(|key| plain.contains(key));
    assert_eq!(same.collect::<Vec<_>>(), keys(&tokens[..16], 16));
    assert_eq!(told.device().len(), 3);
}

#[test]
fn windows_and_second_groups_are_ignored() {
    let tokens: Vec<u32> = (0..16).collect();
    let group = |group, dense| Origin {
        group,
        dense,
        ..origin(16, None, Tier::Device)
    };
    let mut gone = KvBatch::new();
    gone.hashes_mut().push(EngineHash(1));
    gone.removed(Tier::Device, Some(2));
    let (tracker, told) = apply(
        &config(16),
        &[
            one(1, &[7; 16], group(0, false)),
            one(1, &tokens, group(1, true)),
            one(1, &[8; 16], group(2, true)),
            gone,
        ],
    );
    assert_eq!(told.device(), keys(&tokens, 16));
    assert_eq!(
        (tracker.stats().ignored_groups, tracker.trust()),
        (3, FeedTrust::Exact)
    );
}

#[test]
fn blocks_behind_an_unknown_one_are_not_taken() {
    let tokens: Vec<u32> = (0..32).collect();
    let orphan = one(
        5,
        &tokens[16..],
        origin(16, Some(EngineHash(4)), Tier::Device),
    );
    let (tracker, told) = apply(&config(16), &[orphan, stored(&tokens, 16, 0.0)]);
    assert_eq!(told.device(), keys(&tokens, 16));
    assert_eq!(tracker.stats().orphans, 1);
    assert_eq!(tracker.trust(), FeedTrust::Degraded(Weakness::Orphans));
}

#[test]
fn numbers_that_do_not_fit_are_refused() {
    let tokens: Vec<u32> = (0..32).collect();
    for (block_tokens, given) in [(0, 16), (16, 15), (16, 32), (u32::MAX, 16), (70_000, 16)] {
        let batch = one(
            1,
            &tokens[..given],
            origin(block_tokens, None, Tier::Device),
        );
        let (tracker, told) = apply(&config(16), &[batch]);
        assert_eq!((told.held.len(), tracker.stats().malformed), (0, 1));
    }
    // The same hash for other tokens, or at another place.
    let again = one(1, &tokens[16..], origin(16, None, Tier::Device));
    let (tracker, told) = apply(
        &config(16),
        &[one(1, &tokens[..16], origin(16, None, Tier::Device)), again],
    );
    assert_eq!(
        (told.device(), tracker.stats().malformed),
        (keys(&tokens[..16], 16), 1)
    );
}

#[test]
fn blocks_beyond_the_limit_are_refused_and_counted() {
    let tokens: Vec<u32> = (0..64).collect();
    let limited = FeedConfig {
        block_limit: 3,
        ..config(16)
    };
    let (tracker, told) = apply(&limited, &[stored(&tokens, 16, 0.0)]);
    assert_eq!(told.device(), keys(&tokens[..48], 16));
    assert_eq!((tracker.stats().refused, tracker.stats().blocks), (1, 3));
    assert_eq!(tracker.trust(), FeedTrust::Degraded(Weakness::Full));
    // Words kept aside are bounded with them: these pages need many each.
    let limited = FeedConfig {
        block_limit: 1,
        ..config(1)
    };
    let (tracker, told) = apply(&limited, &[stored(&tokens, 64, 0.0)]);
    assert_eq!((told.held.len(), tracker.stats().refused), (0, 1));
}

#[test]
fn an_engine_that_changes_its_hash_is_followed() {
    let tokens: Vec<u32> = (0..16).collect();
    let other = one(77, &tokens, origin(16, None, Tier::Host));
    let (tracker, told) = apply(
        &config(16),
        &[stored(&tokens, 16, 0.0), other, removed(&tokens, 0.0)],
    );
    assert_eq!((told.device().len(), told.held.len()), (0, 1));
    assert_eq!((tracker.stats().blocks, tracker.stats().removed), (1, 1));
}

#[test]
fn a_block_that_is_only_named_needs_to_be_known() {
    let tokens: Vec<u32> = (0..16).collect();
    let mut named = KvBatch::new();
    named
        .hashes_mut()
        .extend([engine_hash(&tokens), EngineHash(9)]);
    named.stored(origin(16, None, Tier::Host));
    let (tracker, told) = apply(
        &config(16),
        &[stored(&tokens, 16, 0.0), named, removed(&tokens, 0.0)],
    );
    assert_eq!((told.held.len(), told.device().len()), (1, 0));
    assert_eq!((tracker.stats().orphans, tracker.stats().stored), (1, 2));
}
