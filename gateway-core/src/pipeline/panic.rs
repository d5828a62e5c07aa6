//! Panic: where nearly everybody is out, breakers are not asked any more.

use super::Explanation;
use crate::{Fleet, RouteCx, Stage, health::Availability, plugin::Candidate};

/// What a decision looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Everybody who may be chosen.
    Whole,
    /// Some of them, which say nothing of the rest.
    Sample,
    /// Everybody, once more: it was counted already.
    Again,
}

/// Where as many of the model's endpoints are out as the policy says, puts those back in that are not known to be gone.
///
/// Each half of a pair is counted by itself. Of one that is wholly out nobody is used while the request can be served
/// otherwise, as by one engine of the other half: that is better than a broken half.
pub(super) fn lift(
    fleet: &Fleet,
    cx: &RouteCx<'_>,
    look: Look,
    candidates: &mut [Candidate<'_>],
    record: Option<&mut Explanation>,
) {
    let percent = fleet.config().health.panic_percent;
    if percent == 0 || look == Look::Sample {
        return;
    }
    let is_part = cx.stage != Stage::Unified || cx.any_role;
    let counted = count(cx, candidates);
    let makes_way = is_part && !cx.is_last_resort && counted.out == counted.all;
    if makes_way || !counted.is_panic(percent) {
        return;
    }
    let mut lifted = false;
    for candidate in candidates {
        if is_out(candidate) && !candidate.endpoint.state().is_gone() {
            candidate.availability = Availability::Panic;
            lifted |= candidate.endpoint.serves(cx.model);
        }
    }
    if lifted && look == Look::Whole {
        fleet.panicked();
        record.into_iter().for_each(|record| record.panic = true);
    }
}

/// How many of the model's endpoints are out.
#[derive(Clone, Copy, Default)]
struct Counted {
    all: u64,
    out: u64,
}

impl Counted {
    fn is_panic(self, percent: u32) -> bool {
        self.out > 0 && self.out * 100 >= self.all * u64::from(percent)
    }
}

/// Those an operator drains count neither way.
fn count(cx: &RouteCx<'_>, candidates: &[Candidate<'_>]) -> Counted {
    let mut counted = Counted::default();
    if !candidates.iter().any(is_out) {
        return counted;
    }
    let ours = candidates.iter().filter(|candidate| {
        candidate.endpoint.serves(cx.model) && candidate.availability != Availability::Draining
    });
    for candidate in ours {
        counted.all += 1;
        counted.out += u64::from(is_out(candidate));
    }
    counted
}

fn is_out(candidate: &Candidate<'_>) -> bool {
    matches!(
        candidate.availability,
        Availability::Open | Availability::Down
    )
}

#[cfg(test)]
mod tests {
    use crate::{
        EndpointSpec, Fleet, FleetConfig, NoEndpoint, Pipeline, Placement, Rng, RouteCx, Timestamp,
        health::{HealthPolicy, Outcome, Probe},
    };

    const NOW: Timestamp = Timestamp::from_millis(1);

    fn fleet(panic_percent: u32) -> Fleet {
        let specs = ["a", "b", "c", "d"].map(|name| EndpointSpec::new(name).model("m"));
        let health = HealthPolicy {
            panic_percent,
            ..HealthPolicy::default()
        };
        let config = FleetConfig {
            health,
            ..FleetConfig::default()
        };
        Fleet::with_config(specs, config).expect("valid")
    }

    fn open(fleet: &Fleet, names: &[&str]) {
        for name in names {
            let state = fleet.by_name(name).expect("there").state();
            for _ in 0..3 {
                state.finished(&fleet.config().health, Outcome::Failed, NOW);
            }
        }
    }

    fn gone(fleet: &Fleet, name: &str) {
        let state = fleet.by_name(name).expect("there").state();
        for _ in 0..2 {
            state.probed(&fleet.config().health, Probe::Gone, NOW);
        }
    }

    fn place(fleet: &Fleet) -> Result<Placement, NoEndpoint> {
        let cx = RouteCx::new("m", NOW).prompt(100, &[], 16).output(10);
        Pipeline::default().place(fleet, &cx, &mut Rng::from_seed(1))
    }

    #[test]
    fn with_everybody_out_requests_spread_over_those_not_known_to_be_gone() {
        let fleet = fleet(100);
        open(&fleet, &["a", "b"]);
        gone(&fleet, "c");
        fleet
            .by_name("d")
            .expect("there")
            .state()
            .set_draining(true);
        let placed: Vec<_> = (0..10).map(|_| place(&fleet).expect("panic")).collect();
        let at = |name| {
            let here = placed.iter().filter(|one| one.endpoint().name() == name);
            here.count()
        };
        assert_eq!((at("a"), at("b"), at("c"), at("d")), (5, 5, 0, 0));
        assert_eq!(fleet.panics(), 10);
    }

    #[test]
    fn one_that_is_up_is_enough_unless_the_policy_says_otherwise() {
        let calm = fleet(100);
        open(&calm, &["a", "b", "c"]);
        let names = |fleet: &Fleet| {
            let placed: Vec<_> = (0..4).map(|_| place(fleet).expect("placed")).collect();
            let mut names: Vec<_> = placed
                .iter()
                .map(|one| one.endpoint().name().to_owned())
                .collect();
            names.sort();
            names.dedup();
            names
        };
        assert_eq!(names(&calm), ["d"]);
        assert_eq!(calm.panics(), 0);
        let anxious = fleet(75);
        open(&anxious, &["a", "b", "c"]);
        assert_eq!(names(&anxious), ["a", "b", "c", "d"]);
    }

    #[test]
    fn nobody_panics_where_everybody_is_gone_or_it_is_switched_off() {
        let dead = fleet(100);
        ["a", "b", "c", "d"]
            .iter()
            .for_each(|name| gone(&dead, name));
        assert_eq!(
            place(&dead).expect_err("dead").ruled_out,
            [("healthy".to_owned(), 4)]
        );
        assert_eq!(dead.panics(), 0);
        let off = fleet(0);
        open(&off, &["a", "b", "c", "d"]);
        place(&off).expect_err("no panic");
    }
}
