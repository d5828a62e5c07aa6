//! The deadline: endpoints that would answer too late are ruled out; with nobody left the request is refused.

use std::time::Duration;

use super::{Explanation, FilteredOut};
use crate::{RouteCx, Stage, plugin::Candidate, span_of_millis};

/// The name under which explanations list it.
const NAME: &str = "deadline";

/// Every endpoint that could take the request would answer after its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// The least predicted time to the first token.
    pub expected: Duration,
    /// When the prompts ahead are predicted to be done so far that the deadline can be met; `None` where the prompt alone
    /// takes too long.
    pub retry_after: Option<Duration>,
}

/// Rules out who would be late of `candidates`, at least one. Without a deadline, or where the prompt is computed elsewhere, nobody is.
pub(super) fn apply(
    cx: &RouteCx<'_>,
    candidates: &mut Vec<Candidate<'_>>,
    record: Option<&mut Explanation>,
) -> Result<(), Late> {
    let deadline_ms = cx.objectives.deadline_ms.map(f64::from);
    let Some(deadline_ms) = deadline_ms.filter(|ms| !ms.is_nan() && cx.stage != Stage::Decode)
    else {
        return Ok(());
    };
    let (mut earliest_ms, mut retry_ms) = (f64::INFINITY, f64::INFINITY);
    let mut late = Vec::new();
    candidates.retain(|candidate| {
        let forecast = candidate.forecast(cx);
        let first_ms = forecast.ttft_ms + forecast.transfer_ms;
        let excess_ms = first_ms - deadline_ms;
        let is_late = excess_ms > 0.0;
        if is_late {
            earliest_ms = earliest_ms.min(first_ms);
            if excess_ms <= forecast.wait_ms + forecast.admission_ms {
                retry_ms = retry_ms.min(excess_ms);
            }
            if record.is_some() {
                late.push(candidate.endpoint.name().to_owned());
            }
        }
        !is_late
    });
    if candidates.is_empty() {
        return Err(Late {
            expected: span_of_millis(earliest_ms),
            retry_after: retry_ms.is_finite().then(|| span_of_millis(retry_ms)),
        });
    }
    if let Some(record) = record {
        let filtered = late.into_iter();
        let filtered = filtered.map(|endpoint| FilteredOut::new(endpoint, NAME));
        record.filtered.extend(filtered);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec, Fleet, Objectives, Pipeline, Placement, Rng, Timestamp,
        plugins::pickers::Best,
    };

    const NOW: Timestamp = Timestamp::from_millis(1);

    fn cx() -> RouteCx<'static> {
        RouteCx::new("m", NOW).prompt(100, &[], 16).output(10)
    }

    /// Two endpoints of one speed, `busy` with a long prompt ahead.
    fn with_queue() -> (Fleet, Vec<Placement>) {
        let specs = ["busy", "idle"].map(|name| EndpointSpec::new(name).model("m"));
        let fleet = Fleet::new(specs).expect("valid");
        let pipeline = Pipeline::default();
        let long = cx().prompt(60_000, &[], 0);
        let busy = [fleet.by_name("busy").expect("there").id()];
        let ahead = pipeline
            .place(&fleet, &long.among(&busy), &mut Rng::from_seed(1))
            .expect("placed");
        (fleet, vec![ahead])
    }

    fn with_deadline(ms: f64) -> RouteCx<'static> {
        cx().prompt(1_000, &[], 0).objectives(Objectives {
            deadline_ms: Some(ms as f32),
            ..Objectives::default()
        })
    }

    #[test]
    fn who_would_answer_after_the_deadline_is_ruled_out_and_the_rest_is_explained() {
        let (fleet, _ahead) = with_queue();
        let place = |cx: &RouteCx<'_>| {
            Pipeline::builder()
                .picker("best", Best)
                .build()
                .place_explained(&fleet, cx, &mut Rng::from_seed(1))
        };
        let (_, free) = place(&with_deadline(f64::INFINITY));
        let waits: Vec<_> = free.candidates.iter().map(|one| one.forecast).collect();
        let [busy, idle] = waits[..] else {
            panic!("two candidates")
        };
        assert!(busy.wait_ms > 500.0 && idle.wait_ms == 0.0, "{waits:?}");
        assert!(busy.interference_ms > 0.0 && busy.ttft_ms > busy.wait_ms);
        let (placed, record) = place(&with_deadline(f64::from(idle.ttft_ms) + 5.0));
        assert_eq!(placed.expect("in time").endpoint().name(), "idle");
        assert_eq!(record.filtered[0].endpoint, "busy");
        assert_eq!(record.filtered[0].by, "deadline");
    }

    #[test]
    fn a_request_that_nobody_can_answer_in_time_is_refused_until_the_queue_is_short_enough() {
        let (fleet, _ahead) = with_queue();
        let busy = [fleet.by_name("busy").expect("there").id()];
        let late = |ms: f64, now: Timestamp| {
            let mut cx = with_deadline(ms).among(&busy);
            cx.now = now;
            Pipeline::default()
                .place(&fleet, &cx, &mut Rng::from_seed(1))
                .err()
                .and_then(|nobody| nobody.late)
        };
        let start = NOW;
        let refused = late(200.0, start).expect("late");
        assert!(refused.expected > Duration::from_millis(500));
        let wait = refused.retry_after.expect("the queue is what takes long");
        assert_eq!(
            late(200.0, start.after(wait / 2))
                .map(|late| late.expected > Duration::from_millis(200)),
            Some(true)
        );
        assert_eq!(
            late(200.0, start.after(wait + Duration::from_millis(1))),
            None
        );
        let hopeless = late(0.0, start).expect("late");
        assert_eq!(
            hopeless.retry_after, None,
            "no wait makes its own prompt shorter"
        );
        assert_eq!(late(f64::NAN, start), None);
    }
}
