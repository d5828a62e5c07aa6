//! `steady`: the endpoint shows signs of life, and takes no more than the share of one that just started.

use crate::{
    RouteCx,
    plugin::{Candidate, Filter},
};

/// Keeps endpoints there is no reason to be careful with ([`Caution`](crate::health::Caution)): none that is silent or stalled with work in
/// flight, and one that is new or back only for its growing share of the requests.
///
/// Use it soft: it steers requests to others while there are others. What does not answer at all is taken out by the
/// breaker in time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steady;

impl Filter for Steady {
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        let caution = candidate.endpoint.state().caution(cx.now);
        if caution.is_silent || caution.is_stalled {
            return false;
        }
        // One draw per request, so that endpoints that start together are in or out together.
        let draw = (cx.draw >> 40) as f32 / (1_u64 << 24) as f32;
        caution.share >= 1.0 || draw < caution.share
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec, Rng, Timestamp,
        load::Demand,
        plugins::testing::{candidates, cx, fleet, uniform},
    };

    #[test]
    fn what_joins_a_fleet_gets_a_growing_share_and_what_was_there_all() {
        let first = uniform(2);
        let specs = (0..3).map(|n| EndpointSpec::new(format!("e{n}")).model("m"));
        let fleet = first.with_endpoints(specs).expect("valid");
        let all = candidates(&fleet);
        let kept = |at: usize, seconds: u64| {
            let mut rng = Rng::from_seed(3);
            let mut cx = cx(1);
            cx.now = Timestamp::from_millis(1_000 + seconds * 1_000);
            let mut keeps = || {
                cx.draw = rng.next_u64();
                Steady.keep(&cx, &all[at])
            };
            (0..1_000).filter(|_| keeps()).count()
        };
        assert_eq!(kept(0, 0), 1_000);
        assert!((70..130).contains(&kept(2, 0)), "{}", kept(2, 0));
        assert!((500..600).contains(&kept(2, 5)), "{}", kept(2, 5));
        assert_eq!(kept(2, 10), 1_000);
    }

    #[test]
    fn a_fleet_that_had_nobody_starts_at_once() {
        let specs = [EndpointSpec::new("a").model("m")];
        let fleet = fleet([]).with_endpoints(specs).expect("valid");
        assert!((0..100).all(|n| {
            let mut cx = cx(1);
            cx.draw = Rng::from_seed(n).next_u64();
            Steady.keep(&cx, &candidates(&fleet)[0])
        }));
    }

    #[test]
    fn silence_with_work_in_flight_steers_away_until_something_comes() {
        let fleet = uniform(2);
        let state = fleet.endpoints()[0].state();
        let demand = Demand {
            prompt_tokens: 100,
            ..Demand::default()
        };
        let keeps = |millis| {
            let mut cx = cx(1);
            cx.now = Timestamp::from_millis(millis);
            let kept: Vec<_> = candidates(&fleet)
                .iter()
                .map(|c| Steady.keep(&cx, c))
                .collect();
            (kept[0], kept[1])
        };
        let mut booking = state.book(&demand, Timestamp::from_millis(10));
        assert_eq!(keeps(60_000), (true, true), "nobody says what he hears");
        state.sent(Timestamp::from_millis(60_000));
        assert_eq!(keeps(62_000), (true, true));
        assert_eq!(keeps(64_000), (false, true), "no first token");
        booking.first_token(None, Timestamp::from_millis(64_001));
        state.heard(Timestamp::from_millis(64_001));
        assert_eq!(keeps(66_000), (true, true));
        assert_eq!(keeps(69_000), (false, true), "and then no second one");
        drop(booking);
        assert_eq!(keeps(69_000), (true, true), "nothing is due any more");
    }
}
