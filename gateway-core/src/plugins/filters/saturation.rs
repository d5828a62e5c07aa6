//! `saturation`: the endpoint has room left.

use serde::Deserialize;

use crate::{
    RouteCx,
    load::Freshness,
    pipeline::ParamError,
    plugin::{Candidate, Filter},
    plugins::params::ensure,
};

/// Parameters of [`Saturation`]. Each is the point at which an endpoint is full; `null` switches a limit off.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SaturationParams {
    /// Requests at the endpoint, running or waiting. Default: no limit.
    pub max_requests: Option<u32>,
    /// Requests at the endpoint without a first token yet. Default: no limit.
    pub max_waiting: Option<u32>,
    /// Prompt tokens of this router's own requests that are still to be computed. Default: no limit.
    pub max_queued_tokens: Option<u64>,
    /// Share of the KV cache in use, above 0 up to 1. Default: 0.95.
    pub max_kv_used: Option<f32>,
}

impl Default for SaturationParams {
    fn default() -> Self {
        Self {
            max_requests: None,
            max_waiting: None,
            max_queued_tokens: None,
            max_kv_used: Some(0.95),
        }
    }
}

/// Keeps endpoints that are below every limit.
///
/// The router's own requests always count, as booked. The engine's own word (foreign requests, KV use) counts only while it
/// is [`Fresh`](Freshness::Fresh): an old reading must not lock an endpoint out that has long been idle.
///
/// Use it soft: a busy endpoint is better than a refusal. Make it hard where another layer queues or sheds what cannot be
/// placed. A limit is no load balancer; leave the balancing below the limits to the scorers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Saturation {
    limits: SaturationParams,
}

impl Saturation {
    /// The filter with its parameters.
    ///
    /// # Errors
    /// Where a limit is 0, or `max_kv_used` is no share.
    pub fn new(params: SaturationParams) -> Result<Self, ParamError> {
        ensure(
            params.max_requests != Some(0),
            "`max_requests` must be at least 1",
        )?;
        ensure(
            params.max_waiting != Some(0),
            "`max_waiting` must be at least 1",
        )?;
        ensure(
            params.max_queued_tokens != Some(0),
            "`max_queued_tokens` must be at least 1",
        )?;
        let share = |used: f32| used > 0.0 && used <= 1.0;
        ensure(
            params.max_kv_used.is_none_or(share),
            "`max_kv_used` must be above 0 and at most 1",
        )?;
        Ok(Self { limits: params })
    }
}

impl Filter for Saturation {
    fn keep(&self, _cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        let load = &candidate.load;
        let fresh = load.telemetry == Freshness::Fresh;
        let (requests, waiting) = if fresh {
            (load.requests, load.waiting)
        } else {
            let ours = candidate.endpoint.state().in_flight();
            (ours.requests, ours.prefilling)
        };
        let kv_used = if fresh { load.kv_used } else { None };
        let full = reached(requests, self.limits.max_requests)
            || reached(waiting, self.limits.max_waiting)
            || reached(load.queued_tokens, self.limits.max_queued_tokens)
            || kv_used.is_some_and(|used| reached(used, self.limits.max_kv_used));
        !full
    }

    fn is_about_load(&self) -> bool {
        true
    }
}

/// A share that is no number reaches nothing.
fn reached<T: PartialOrd + Copy>(value: T, limit: Option<T>) -> bool {
    limit.is_some_and(|limit| value >= limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        load::{Demand, Load},
        plugins::testing::{IDLE, NOW, candidates, cx, uniform},
    };

    fn keeps(params: SaturationParams, load: Load) -> bool {
        let fleet = uniform(1);
        let mut all = candidates(&fleet);
        all[0].load = load;
        Saturation::new(params)
            .expect("valid")
            .keep(&cx(1), &all[0])
    }

    #[test]
    fn kv_use_excludes_only_while_the_reading_is_fresh() {
        let at = |kv_used, telemetry| Load {
            kv_used: Some(kv_used),
            telemetry,
            ..IDLE
        };
        let params = SaturationParams::default();
        assert!(keeps(params, at(0.94, Freshness::Fresh)));
        assert!(!keeps(params, at(0.95, Freshness::Fresh)));
        assert!(keeps(params, at(1.0, Freshness::Stale)));
        assert!(
            keeps(params, at(f32::NAN, Freshness::Fresh)),
            "no number says nothing"
        );
        assert!(
            keeps(
                params,
                Load {
                    telemetry: Freshness::Fresh,
                    ..IDLE
                }
            ),
            "unknown says nothing"
        );
        let off = SaturationParams {
            max_kv_used: None,
            ..params
        };
        assert!(keeps(off, at(1.0, Freshness::Fresh)));
    }

    #[test]
    fn foreign_requests_exclude_only_while_the_reading_is_fresh() {
        let params = SaturationParams {
            max_requests: Some(8),
            max_waiting: Some(2),
            ..SaturationParams::default()
        };
        let load = |requests, waiting, telemetry| Load {
            requests,
            waiting,
            telemetry,
            ..IDLE
        };
        assert!(keeps(params, load(7, 1, Freshness::Fresh)));
        assert!(!keeps(params, load(8, 1, Freshness::Fresh)));
        assert!(!keeps(params, load(7, 2, Freshness::Fresh)));
        assert!(
            keeps(params, load(80, 20, Freshness::Stale)),
            "none of these is ours"
        );
    }

    #[test]
    fn our_own_requests_count_without_any_telemetry() {
        let fleet = uniform(1);
        let state = fleet.endpoints()[0].state();
        let demand = Demand {
            prompt_tokens: 100,
            output_tokens: 20.0,
            ..Demand::default()
        };
        let held = [state.book(&demand, NOW), state.book(&demand, NOW)];
        let keeps = |params| {
            let mut all = candidates(&fleet);
            all[0].load = state.load(&fleet.config().telemetry, NOW);
            Saturation::new(params)
                .expect("valid")
                .keep(&cx(1), &all[0])
        };
        let base = SaturationParams::default();
        assert!(!keeps(SaturationParams {
            max_requests: Some(2),
            ..base
        }));
        assert!(keeps(SaturationParams {
            max_requests: Some(3),
            ..base
        }));
        assert!(!keeps(SaturationParams {
            max_waiting: Some(2),
            ..base
        }));
        assert!(!keeps(SaturationParams {
            max_queued_tokens: Some(200),
            ..base
        }));
        assert!(keeps(SaturationParams {
            max_queued_tokens: Some(201),
            ..base
        }));
        drop(held);
        assert!(keeps(SaturationParams {
            max_requests: Some(1),
            ..base
        }));
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        let refused = |json: &str| {
            let params = serde_json::from_str(json).expect("well-formed");
            Saturation::new(params).expect_err("refused").to_string()
        };
        assert!(refused(r#"{"max_requests": 0}"#).contains("max_requests"));
        assert!(refused(r#"{"max_waiting": 0}"#).contains("max_waiting"));
        assert!(refused(r#"{"max_queued_tokens": 0}"#).contains("max_queued_tokens"));
        for share in ["0", "-0.5", "1.01"] {
            assert!(refused(&format!(r#"{{"max_kv_used": {share}}}"#)).contains("max_kv_used"));
        }
        let off: SaturationParams =
            serde_json::from_str(r#"{"max_kv_used": null}"#).expect("well-formed");
        assert_eq!(off.max_kv_used, None);
    }
}
