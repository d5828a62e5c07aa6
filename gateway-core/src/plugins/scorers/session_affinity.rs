//! `session-affinity`: one conversation, one endpoint, as long as it is not overloaded.

use serde::Deserialize;

use super::{
    NEUTRAL,
    rendezvous::{bounded_home, sound_factor},
};
use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
};

/// Parameters of [`SessionAffinity`].
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionAffinityParams {
    /// How many times the mean number of requests an endpoint may have and still be its sessions' home; at least 1.
    /// Default: 1.25.
    pub load_factor: f32,
}

impl Default for SessionAffinityParams {
    fn default() -> Self {
        Self { load_factor: 1.25 }
    }
}

/// Scores 1 for the home of the request's session, below 0.5 for endpoints with room, and 0 for those without. Without a
/// session all are equal (0.5).
///
/// Each (session, endpoint name) pair has a fixed hash; the home is the endpoint with the greatest hash among those whose
/// requests, with this one, stay within `load_factor` times the mean, rounded up. So a session moves only when its home
/// leaves, comes back, or is overloaded; it then has a fixed second choice; and no table of sessions is kept. Names, not
/// numbers, are hashed, so all gateways and all restarts agree.
///
/// Use it where engines keep something of a conversation that the prefix index does not know: adapters, uploaded images,
/// caches without events. Where the index is fed, `prefix-affinity` says the same more exactly. The load bound is a
/// guarantee only with this scorer alone and the picker `best`; beside others it is a preference.
///
/// Rendezvous hashing (Thaler and Ravishankar 1996) with bounded loads (Mirrokni, Thorup and Zadimoghaddam 2016).
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionAffinity {
    params: SessionAffinityParams,
}

impl SessionAffinity {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where the load factor is below 1 or no number: not every request would have a place.
    pub fn new(params: SessionAffinityParams) -> Result<Self, ParamError> {
        sound_factor(params.load_factor)?;
        Ok(Self { params })
    }
}

impl Scorer for SessionAffinity {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let Some(session) = cx.session else {
            out.fill(NEUTRAL);
            return;
        };
        bounded_home(session, self.params.load_factor, candidates, out);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        Rng,
        plugin::Picker,
        plugins::{
            pickers::Best,
            testing::{candidates, cx, scores, uniform},
        },
    };

    const SESSIONS: u64 = 2_000;

    fn pick(scorer: &SessionAffinity, session: u64, all: &[Candidate<'_>]) -> usize {
        let cx = cx(1).session(session);
        Best.pick(
            &cx,
            all,
            &scores(scorer, &cx, all),
            &mut Rng::from_seed(session),
        )
        .expect("somebody")
    }

    /// Where each session lives while nobody is loaded.
    fn homes(all: &[Candidate<'_>]) -> Vec<String> {
        let scorer = SessionAffinity::default();
        (0..SESSIONS)
            .map(|session| all[pick(&scorer, session, all)].endpoint.name().to_owned())
            .collect()
    }

    #[test]
    fn only_the_sessions_of_an_endpoint_that_left_move() {
        let fleet = uniform(8);
        let all = candidates(&fleet);
        let before = homes(&all);
        let fewer: Vec<_> = all
            .iter()
            .copied()
            .filter(|c| c.endpoint.name() != "e3")
            .collect();
        let after = homes(&fewer);
        let mut heirs = BTreeMap::new();
        for (old, new) in before.iter().zip(&after) {
            if old == "e3" {
                *heirs.entry(new).or_insert(0) += 1;
            } else {
                assert_eq!(old, new);
            }
        }
        assert_eq!(
            heirs.len(),
            7,
            "its sessions spread over all that stay: {heirs:?}"
        );
    }

    #[test]
    fn homes_are_spread_evenly_and_follow_the_name() {
        let fleet = uniform(8);
        let mut all = candidates(&fleet);
        let before = homes(&all);
        for candidate in &all {
            let lives = before
                .iter()
                .filter(|home| *home == candidate.endpoint.name())
                .count();
            assert!(
                (175..=325).contains(&lives),
                "{} of {SESSIONS} live at {}",
                lives,
                candidate.endpoint.name()
            );
        }
        all.reverse();
        assert_eq!(homes(&all), before, "the order of the list does not matter");
    }

    #[test]
    fn one_hot_session_never_overloads_its_home() {
        let fleet = uniform(6);
        let mut all = candidates(&fleet);
        let scorer = SessionAffinity::default();
        for placed in 1..=600_u32 {
            let at = pick(&scorer, 42, &all);
            all[at].load.requests += 1;
            let bound = (1.25 * f64::from(placed) / 6.0).ceil();
            assert!(
                f64::from(all[at].load.requests) <= bound,
                "{} of {placed}",
                all[at].load.requests
            );
        }
    }

    #[test]
    fn an_overloaded_home_hands_over_to_a_fixed_second_choice() {
        let fleet = uniform(5);
        let mut all = candidates(&fleet);
        let scorer = SessionAffinity::default();
        let home = pick(&scorer, 7, &all);
        let ranked = scores(&scorer, &cx(1).session(7), &all);
        let second = (0..5)
            .filter(|&at| at != home)
            .max_by(|&a, &b| ranked[a].total_cmp(&ranked[b]));
        all[home].load.requests = 100;
        assert_eq!(Some(pick(&scorer, 7, &all)), second);
        all[home].load.requests = 0;
        assert_eq!(
            pick(&scorer, 7, &all),
            home,
            "and takes back what is its own"
        );
    }

    #[test]
    fn without_a_session_all_are_equal_and_a_single_endpoint_is_home() {
        let fleet = uniform(3);
        let all = candidates(&fleet);
        assert_eq!(scores(&SessionAffinity::default(), &cx(1), &all), [0.5; 3]);
        assert_eq!(
            scores(&SessionAffinity::default(), &cx(1).session(1), &all[..1]),
            [1.0]
        );
    }

    #[test]
    fn a_factor_without_room_for_all_is_refused() {
        for load_factor in [0.99, f32::NAN, f32::INFINITY] {
            SessionAffinity::new(SessionAffinityParams { load_factor }).expect_err("refused");
        }
    }
}
