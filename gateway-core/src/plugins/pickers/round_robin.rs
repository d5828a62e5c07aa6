//! `round-robin`: everybody in turn, whatever the score.

use std::{
    fmt,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

use crate::{
    EndpointId, Rng, RouteCx,
    plugin::{Candidate, Picker},
};

/// Takes the candidate whose last turn is longest ago; scores are not looked at.
///
/// A turn is kept per endpoint, not as one counter over the list: so the order stays fair when filters leave different
/// candidates from one request to the next, as with two models in one fleet, and an endpoint that joins is next.
/// Concurrent picks never share a turn and leave the order as it is.
///
/// Use it as a baseline, or where requests are alike and engines say nothing. Where load is booked with the choice, as it
/// is here, `least-requests` balances better at no higher cost.
pub struct RoundRobin {
    /// The turn each endpoint last had, by its number; 0 where it had none.
    turns: Box<[AtomicU64]>,
    next: AtomicU64,
}

impl Default for RoundRobin {
    fn default() -> Self {
        Self {
            turns: (0..EndpointId::LIMIT).map(|_| AtomicU64::new(0)).collect(),
            next: AtomicU64::new(1),
        }
    }
}

impl fmt::Debug for RoundRobin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoundRobin")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl RoundRobin {
    fn turn(&self, candidate: &Candidate<'_>) -> Option<&AtomicU64> {
        self.turns.get(candidate.endpoint.id().index())
    }
}

impl Picker for RoundRobin {
    fn pick(
        &self,
        _cx: &RouteCx<'_>,
        candidates: &[Candidate<'_>],
        _scores: &[f32],
        _rng: &mut Rng,
    ) -> Option<usize> {
        loop {
            let turns = candidates.iter().map(|candidate| self.turn(candidate));
            let seen = turns
                .enumerate()
                .filter_map(|(at, turn)| Some((turn?.load(Acquire), at)));
            let (last, at) = seen.min()?;
            let mine = self.next.fetch_add(1, Relaxed);
            // Turns only grow, so an endpoint that still has the turn we saw still has the smallest one. Where another pick
            // has taken it since, look again.
            if self
                .turn(&candidates[at])?
                .compare_exchange(last, mine, AcqRel, Relaxed)
                .is_ok()
            {
                return Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use super::*;
    use crate::plugins::testing::{candidates, cx, uniform};

    fn picks(picker: &RoundRobin, all: &[Candidate<'_>], times: usize) -> Vec<usize> {
        let mut rng = Rng::from_seed(1);
        let scores = vec![0.0; all.len()];
        (0..times)
            .map(|_| {
                picker
                    .pick(&cx(1), all, &scores, &mut rng)
                    .expect("not empty")
            })
            .collect()
    }

    #[test]
    fn goes_round_in_the_order_of_the_fleet() {
        let fleet = uniform(3);
        let picker = RoundRobin::default();
        assert_eq!(
            picks(&picker, &candidates(&fleet), 7),
            [0, 1, 2, 0, 1, 2, 0]
        );
        assert_eq!(picker.pick(&cx(1), &[], &[], &mut Rng::from_seed(1)), None);
    }

    #[test]
    fn two_models_taking_turns_both_go_round() {
        let fleet = uniform(4);
        let all = candidates(&fleet);
        let picker = RoundRobin::default();
        let mut seen = [Vec::new(), Vec::new()];
        for _ in 0..4 {
            seen[0].extend(picks(&picker, &all[..2], 1));
            seen[1].extend(picks(&picker, &all[2..], 1));
        }
        assert_eq!(seen, [[0, 1, 0, 1], [0, 1, 0, 1]]);
    }

    #[test]
    fn who_was_filtered_out_for_a_while_is_next() {
        let fleet = uniform(3);
        let all = candidates(&fleet);
        let picker = RoundRobin::default();
        assert_eq!(picks(&picker, &all, 3), [0, 1, 2]);
        assert_eq!(picks(&picker, &all[1..], 3), [0, 1, 0]);
        assert_eq!(picks(&picker, &all, 3), [0, 2, 1]);
    }

    #[test]
    fn concurrent_picks_share_evenly() {
        const THREADS: u32 = 4;
        const EACH: u32 = 3_000;
        let fleet = uniform(6);
        let picker = RoundRobin::default();
        let counts: [AtomicU32; 6] = Default::default();
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for at in picks(&picker, &candidates(&fleet), EACH as usize) {
                        counts[at].fetch_add(1, Relaxed);
                    }
                });
            }
        });
        assert_eq!(counts.map(AtomicU32::into_inner), [THREADS * EACH / 6; 6]);
    }
}
