//! Rates: what two readings of an engine's counters say together.

use std::time::Duration;

use super::Telemetry;
use crate::Timestamp;

/// What an engine did between two readings. A field is `None` where a counter is missing or fell, as it does when the
/// engine restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Rates {
    /// When the later of the two readings was asked for.
    #[serde(skip)]
    pub sampled_at: Timestamp,
    /// The time between the two.
    pub over: Duration,
    /// Prompt tokens processed per second.
    pub prompt_tokens_per_second: Option<f64>,
    /// Tokens generated per second.
    pub generation_tokens_per_second: Option<f64>,
    /// Of the prompt tokens looked up in the prefix cache, the share that was found, 0 to 1.
    pub prefix_hit_share: Option<f64>,
    /// Requests preempted per second.
    pub preemptions_per_second: Option<f64>,
}

impl Rates {
    /// The rates between two readings with the times they were asked for; `None` where no time has passed.
    pub(super) fn between(
        before: (Timestamp, &Telemetry),
        now: (Timestamp, &Telemetry),
    ) -> Option<Self> {
        let over = now.0.since(before.0);
        if over.is_zero() {
            return None;
        }
        let (then, after) = (before.1, now.1);
        let per_second = |from, to| Some(grown(from, to)? / over.as_secs_f64());
        let looked_up = grown(then.prefix_queries_tokens, after.prefix_queries_tokens);
        let found = grown(then.prefix_hits_tokens, after.prefix_hits_tokens);
        Some(Self {
            sampled_at: now.0,
            over,
            prompt_tokens_per_second: per_second(then.prompt_tokens, after.prompt_tokens),
            generation_tokens_per_second: per_second(
                then.generation_tokens,
                after.generation_tokens,
            ),
            prefix_hit_share: looked_up
                .filter(|&tokens| tokens > 0.0)
                .and_then(|tokens| Some((found? / tokens).min(1.0))),
            preemptions_per_second: per_second(then.preemptions, after.preemptions),
        })
    }
}

/// By how much a counter grew.
#[expect(
    clippy::cast_precision_loss,
    reason = "a rate needs no more than a double's precision"
)]
fn grown(before: Option<u64>, after: Option<u64>) -> Option<f64> {
    Some(after?.checked_sub(before?)? as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(prompt: u64, generation: u64, queries: u64, hits: u64) -> Telemetry {
        Telemetry {
            prompt_tokens: Some(prompt),
            generation_tokens: Some(generation),
            prefix_queries_tokens: Some(queries),
            prefix_hits_tokens: Some(hits),
            ..Telemetry::default()
        }
    }

    fn between(before: &Telemetry, after: &Telemetry, millis: u64) -> Option<Rates> {
        let (then, now) = (
            Timestamp::from_millis(5),
            Timestamp::from_millis(5 + millis),
        );
        Rates::between((then, before), (now, after))
    }

    #[test]
    fn counters_become_rates_over_the_time_between_the_readings() {
        let rates = between(&counted(0, 10, 100, 0), &counted(1_000, 60, 300, 50), 500)
            .expect("time passed");
        assert_eq!(rates.prompt_tokens_per_second, Some(2_000.0));
        assert_eq!(rates.generation_tokens_per_second, Some(100.0));
        assert_eq!(rates.prefix_hit_share, Some(0.25));
        assert_eq!(rates.preemptions_per_second, None, "never reported");
        assert_eq!(rates.sampled_at, Timestamp::from_millis(505));
    }

    #[test]
    fn restarts_idle_times_and_clocks_that_stand_still_make_no_rates() {
        let restarted =
            between(&counted(9, 9, 9, 9), &counted(1, 10, 9, 9), 500).expect("time passed");
        assert_eq!(restarted.prompt_tokens_per_second, None);
        assert_eq!(restarted.generation_tokens_per_second, Some(2.0));
        assert_eq!(restarted.prefix_hit_share, None, "nothing was looked up");
        assert_eq!(between(&counted(0, 0, 0, 0), &counted(1, 1, 1, 1), 0), None);
    }
}
