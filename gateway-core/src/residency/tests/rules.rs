//! Single rules.

use std::time::Duration;

use super::{ample, at, chain, of, own};
use crate::{
    BlockHash, EndpointId, Timestamp,
    prefix::{Lane, PrefixIndexConfig},
    residency::{Cached, Keying, Residency, ResidencyConfig, Room, Tier, Trust},
};

const ENGINE: EndpointId = EndpointId(0);
const OTHER: EndpointId = EndpointId(1);

fn exact() -> Residency {
    let residency = Residency::new(ample());
    residency.set_trust(ENGINE, Trust::Exact);
    residency
}

fn serve(residency: &Residency, prompt: &[BlockHash], keying: Keying, now: Timestamp) {
    let claim = residency.placed(ENGINE, prompt, keying, now);
    residency.served(claim, now);
}

fn held(residency: &Residency, lane: Lane) -> usize {
    residency.stats().index.by_lane[lane as usize]
}

#[test]
fn an_expected_prompt_counts_until_its_grace_and_lag_are_over() {
    let (residency, prompt) = (exact(), chain(1, 100));
    residency.set_lag(ENGINE, Duration::from_millis(500));
    let claim = residency.placed(ENGINE, &prompt, Keying::Tokens, at(0));
    assert_eq!(own(&residency, ENGINE, &prompt), 100);
    assert_eq!(own(&residency, OTHER, &prompt), 0);
    residency.expire(ENGINE, at(60_000));
    assert_eq!(own(&residency, ENGINE, &prompt), 100, "still on its way");
    residency.served(claim, at(60_000));
    residency.stored(ENGINE, Tier::Device, None, &prompt[..60]);
    residency.expire(ENGINE, at(62_499));
    assert_eq!(own(&residency, ENGINE, &prompt), 100);
    residency.expire(ENGINE, at(62_500));
    assert_eq!(
        of(&residency, ENGINE, &prompt),
        Cached {
            device: 60,
            lower: 0,
            own: 0
        }
    );
    let stats = residency.stats();
    assert_eq!(
        (stats.confirmed, stats.unconfirmed, stats.own_blocks),
        (60, 40, 0)
    );
}

#[test]
fn a_prompt_that_comes_again_when_its_grace_ends_is_expected_anew() {
    let (residency, prompt) = (exact(), chain(21, 8));
    serve(&residency, &prompt, Keying::Tokens, at(0));
    let claim = residency.placed(ENGINE, &prompt, Keying::Tokens, at(2_000));
    assert_eq!(own(&residency, ENGINE, &prompt), 8);
    residency.failed(claim, at(2_000));
    assert_eq!(own(&residency, ENGINE, &prompt), 0);
}

#[test]
fn a_failed_attempt_takes_back_only_what_nobody_else_sent() {
    let (residency, prompt) = (exact(), chain(2, 80));
    let long = residency.placed(ENGINE, &prompt, Keying::Tokens, at(0));
    let short = residency.placed(ENGINE, &prompt[..30], Keying::Tokens, at(1));
    residency.failed(long, at(2));
    assert_eq!(own(&residency, ENGINE, &prompt), 30);
    residency.failed(long, at(3));
    assert_eq!(
        own(&residency, ENGINE, &prompt),
        30,
        "a second word changes nothing"
    );
    residency.failed(short, at(4));
    assert_eq!(own(&residency, ENGINE, &prompt), 0);
    assert_eq!(residency.stats().failed, 80);
}

#[test]
fn a_removal_by_the_engine_overrides_what_was_expected() {
    let (residency, prompt) = (exact(), chain(3, 10));
    serve(&residency, &prompt, Keying::Tokens, at(0));
    residency.stored(ENGINE, Tier::Device, None, &prompt);
    residency.removed(ENGINE, Tier::Device, &prompt[5..]);
    assert_eq!(
        of(&residency, ENGINE, &prompt),
        Cached {
            device: 5,
            lower: 0,
            own: 5
        }
    );
}

#[test]
fn lower_tiers_follow_what_is_near_and_need_no_order() {
    let (residency, prompt) = (exact(), chain(4, 12));
    residency.stored(ENGINE, Tier::Device, None, &prompt[..6]);
    // The first word of a lower tier: what is on the device already counts as resident from then on.
    residency.stored(ENGINE, Tier::Host, Some(prompt[3]), &prompt[4..9]);
    residency.stored(ENGINE, Tier::Disk, Some(prompt[8]), &prompt[9..]);
    assert_eq!(
        of(&residency, ENGINE, &prompt),
        Cached {
            device: 6,
            lower: 6,
            own: 0
        }
    );
    residency.removed(ENGINE, Tier::Device, &prompt[4..6]);
    assert_eq!(
        of(&residency, ENGINE, &prompt),
        Cached {
            device: 4,
            lower: 8,
            own: 0
        }
    );
    residency.removed(ENGINE, Tier::Host, &prompt[6..9]);
    assert_eq!(
        of(&residency, ENGINE, &prompt),
        Cached {
            device: 4,
            lower: 2,
            own: 0
        }
    );
    residency.removed(ENGINE, Tier::Device, &prompt);
    residency.removed(ENGINE, Tier::Host, &prompt);
    assert_eq!(held(&residency, Lane::Resident), 3, "those on disk");
    residency.removed(ENGINE, Tier::Disk, &prompt);
    assert_eq!(residency.stats().index.holders, 0);
}

#[test]
fn capacity_takes_the_tail_of_the_least_recently_used() {
    let residency = Residency::new(ample());
    let (old, new) = (chain(5, 60), chain(6, 60));
    serve(&residency, &old, Keying::Tokens, at(0));
    serve(&residency, &new, Keying::Tokens, at(1));
    residency.set_capacity(ENGINE, 100);
    assert_eq!(
        (own(&residency, ENGINE, &old), own(&residency, ENGINE, &new)),
        (40, 60)
    );
    serve(&residency, &old[..10], Keying::Tokens, at(2));
    residency.set_capacity(ENGINE, 50);
    assert_eq!(
        (own(&residency, ENGINE, &old), own(&residency, ENGINE, &new)),
        (10, 40)
    );
    assert_eq!(residency.stats().evicted, 70);
    serve(&residency, &chain(7, 500), Keying::Tokens, at(3));
    assert_eq!(
        own(&residency, ENGINE, &chain(7, 500)),
        50,
        "a prompt beyond the capacity"
    );
}

#[test]
fn room_counts_blocks_by_what_keys_them() {
    let residency = Residency::new(ample());
    let (tokens, bytes) = (chain(19, 100), chain(20, 30));
    serve(&residency, &bytes, Keying::Bytes, at(0));
    serve(&residency, &tokens, Keying::Tokens, at(1));
    let room = |tokens| Room {
        tokens,
        per_token_block: 16,
        per_byte_block: 64,
    };
    let held = || {
        (
            own(&residency, ENGINE, &tokens),
            own(&residency, ENGINE, &bytes),
        )
    };
    residency.set_room(ENGINE, room(1_600 + 1_920));
    assert_eq!(held(), (100, 30));
    // One token too many is a whole block.
    residency.set_room(ENGINE, room(1_600 + 1_919));
    assert_eq!(held(), (100, 29));
    residency.set_room(ENGINE, room(800));
    assert_eq!(held(), (50, 0));
    serve(&residency, &bytes, Keying::Bytes, at(2));
    assert_eq!(held(), (0, 12));
}

#[test]
fn history_that_nobody_uses_decays() {
    let residency = Residency::new(ample());
    let (used, unused) = (chain(8, 20), chain(9, 20));
    serve(&residency, &used, Keying::Bytes, at(0));
    serve(&residency, &unused, Keying::Bytes, at(0));
    let minute = 60_000;
    serve(&residency, &used, Keying::Bytes, at(20 * minute));
    residency.expire(ENGINE, at(31 * minute));
    assert_eq!(
        (
            own(&residency, ENGINE, &used),
            own(&residency, ENGINE, &unused)
        ),
        (20, 0)
    );
    assert_eq!(residency.stats().expired, 20);
    // A prompt of which nothing is heard any more decays as well.
    let lost = residency.placed(ENGINE, &unused, Keying::Tokens, at(31 * minute));
    residency.expire(ENGINE, at(62 * minute));
    assert_eq!(residency.stats().own_blocks, 0);
    residency.served(lost, at(62 * minute));
    assert_eq!(residency.stats().own_blocks, 0);
}

#[test]
fn bytes_and_tokens_live_side_by_side_under_an_exact_feed() {
    let residency = exact();
    let (tokens, bytes) = (chain(10, 20), chain(11, 20));
    serve(&residency, &tokens, Keying::Tokens, at(0));
    serve(&residency, &bytes, Keying::Bytes, at(0));
    residency.expire(ENGINE, at(10_000));
    assert_eq!(
        (
            own(&residency, ENGINE, &tokens),
            own(&residency, ENGINE, &bytes)
        ),
        (0, 20)
    );
}

#[test]
fn trust_decides_what_history_is_worth() {
    let (residency, prompt) = (Residency::new(ample()), chain(12, 20));
    assert_eq!(residency.trust(ENGINE), Trust::Fallback);
    serve(&residency, &prompt, Keying::Tokens, at(0));
    residency.set_trust(ENGINE, Trust::Degraded);
    residency.stored(ENGINE, Tier::Device, None, &prompt[..5]);
    assert_eq!(
        of(&residency, ENGINE, &prompt),
        Cached {
            device: 5,
            lower: 0,
            own: 20
        },
        "both count"
    );
    residency.set_trust(ENGINE, Trust::Exact);
    assert_eq!(
        of(&residency, ENGINE, &prompt),
        Cached {
            device: 5,
            lower: 0,
            own: 0
        }
    );
    serve(&residency, &prompt, Keying::Tokens, at(1));
    residency.set_trust(ENGINE, Trust::Fallback);
    residency.expire(ENGINE, at(10_000));
    assert_eq!(
        of(&residency, ENGINE, &prompt),
        Cached {
            device: 0,
            lower: 0,
            own: 20
        }
    );
}

#[test]
fn a_restart_voids_claims_and_a_new_endpoint_starts_anew() {
    let (residency, prompt) = (exact(), chain(13, 20));
    residency.set_capacity(ENGINE, 5);
    let claim = residency.placed(ENGINE, &prompt, Keying::Tokens, at(0));
    residency.forget(ENGINE);
    serve(&residency, &prompt[..3], Keying::Tokens, at(0));
    residency.failed(claim, at(1));
    assert_eq!(own(&residency, ENGINE, &prompt), 3);
    assert_eq!(residency.trust(ENGINE), Trust::Exact);
    residency.retire(ENGINE);
    assert_eq!(
        (residency.trust(ENGINE), residency.stats().own_blocks),
        (Trust::Fallback, 0)
    );
    serve(&residency, &prompt, Keying::Tokens, at(2));
    assert_eq!(own(&residency, ENGINE, &prompt), 20);
}

#[test]
fn a_cleared_cache_still_expects_what_is_on_its_way() {
    let residency = exact();
    let (before, coming) = (chain(14, 20), chain(15, 20));
    serve(&residency, &before, Keying::Tokens, at(0));
    residency.stored(ENGINE, Tier::Device, None, &before);
    residency.stored(ENGINE, Tier::Host, None, &before);
    let claim = residency.placed(ENGINE, &coming, Keying::Tokens, at(0));
    residency.cleared(ENGINE);
    assert_eq!(of(&residency, ENGINE, &before), Cached::default());
    assert_eq!(own(&residency, ENGINE, &coming), 20);
    residency.failed(claim, at(1));
    assert_eq!(residency.stats().index.holders, 0);
}

#[test]
fn lost_events_void_what_they_said_and_nothing_else() {
    let residency = Residency::new(ample());
    residency.set_trust(ENGINE, Trust::Degraded);
    let (told, served, bytes) = (chain(16, 20), chain(17, 20), chain(18, 20));
    serve(&residency, &served, Keying::Tokens, at(0));
    serve(&residency, &bytes, Keying::Bytes, at(0));
    residency.stored(ENGINE, Tier::Device, None, &told);
    residency.stored(ENGINE, Tier::Host, None, &told);
    residency.stored(ENGINE, Tier::Device, None, &served);
    residency.lost_blocks(ENGINE, Tier::Device, &served[10..]);
    let partly = of(&residency, ENGINE, &served);
    assert_eq!((partly.device, partly.own), (10, 20));
    residency.lost(ENGINE);
    assert_eq!(of(&residency, ENGINE, &told), Cached::default());
    for known in [&served, &bytes] {
        let cached = of(&residency, ENGINE, known);
        assert_eq!((cached.device, cached.own), (0, 20));
    }
    assert_eq!(held(&residency, Lane::Own), 40);
}

#[test]
fn pages_of_one_token_make_long_chains() {
    let residency = Residency::new(ample());
    let prompt = chain(16, 10_000);
    for turn in 1..=100 {
        serve(
            &residency,
            &prompt[..turn * 100],
            Keying::Tokens,
            at(turn as u64),
        );
    }
    assert_eq!(own(&residency, ENGINE, &prompt), 10_000);
    residency.set_capacity(ENGINE, 9_999);
    assert_eq!(own(&residency, ENGINE, &prompt), 9_999);
    for block in prompt.chunks(1) {
        residency.removed(ENGINE, Tier::Device, block);
    }
    assert_eq!(residency.stats().index.holders, 0);
}

#[test]
fn hashes_that_name_no_prefix_only_cost_matches() {
    let residency = Residency::new(ResidencyConfig {
        index: PrefixIndexConfig {
            budget_bytes: 64 << 10,
        },
        default_capacity_blocks: 50,
        ..ample()
    });
    let mut rng = crate::Rng::from_seed(17);
    let mut claims = Vec::new();
    for step in 0..5_000 {
        let prompt: Vec<_> = (0..rng.below(20))
            .map(|_| BlockHash(rng.below(12) as u64))
            .collect();
        claims.push(residency.placed(ENGINE, &prompt, Keying::Tokens, at(step)));
        if claims.len() > 7 {
            let claim = claims.swap_remove(rng.below(claims.len()));
            match rng.below(3) {
                0 => residency.failed(claim, at(step)),
                1 => residency.served(claim, at(step)),
                _ => {} // lost
            }
        }
        assert!(residency.stats().own_blocks <= 50);
    }
    residency.forget(ENGINE);
    assert_eq!(residency.stats().index.holders, 0);
}

#[test]
fn endpoints_out_of_range_are_nobody() {
    let (residency, prompt) = (Residency::new(ample()), chain(18, 4));
    let nobody = EndpointId(u16::MAX);
    let claim = residency.placed(nobody, &prompt, Keying::Tokens, at(0));
    residency.served(claim, at(0));
    assert_eq!(
        residency.stored(nobody, Tier::Host, None, &prompt).rejected,
        4
    );
    residency.removed(nobody, Tier::Device, &prompt);
    residency.set_trust(nobody, Trust::Exact);
    residency.set_capacity(nobody, 1);
    residency.retire(nobody);
    assert_eq!(of(&residency, nobody, &prompt), Cached::default());
    assert_eq!(residency.stats().index.holders, 0);
}

#[test]
fn books_and_index_agree_after_writers_from_all_sides() {
    let residency = Residency::new(ample());
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let residency = &residency;
            scope.spawn(move || {
                for step in 0..400 {
                    let prompt = chain(step % 7, 70);
                    let engine = EndpointId(u16::try_from(step % 3).expect("small"));
                    let claim = residency.placed(engine, &prompt, Keying::Bytes, at(step));
                    assert!(own(residency, engine, &prompt) <= 70);
                    if thread % 2 == 0 {
                        residency.served(claim, at(step));
                    } else {
                        residency.failed(claim, at(step));
                    }
                    if thread == 0 {
                        residency.set_capacity(engine, 150 + (step as usize * 37) % 200);
                    }
                }
            });
        }
    });
    let stats = residency.stats();
    assert_eq!(stats.own_blocks as usize, stats.index.holders);
    assert!(stats.own_blocks > 0);
}
