//! `dynamo-cost`: prompt blocks to compute plus blocks in use.

use serde::Deserialize;

use super::cost::by_difference;
use crate::{
    RouteCx, Stage,
    latency::Forecast,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`DynamoCost`].
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DynamoCostParams {
    /// What a block to compute costs beside a block in use. Default: 1.
    pub prefill_scale: f64,
    /// How much of a block cached on the device counts as computed, 0 to 1. Default: 1.
    pub device_credit: f64,
    /// The same for a block in a lower tier. Default: 0.75.
    pub host_credit: f64,
    /// What each request in flight costs, in blocks. Default: 0.
    pub request_weight: f64,
    /// Tokens of a block; unset, those of the request's own block hashes, or 16 without any. Default: unset.
    pub block_tokens: Option<u32>,
}

impl Default for DynamoCostParams {
    fn default() -> Self {
        Self {
            prefill_scale: 1.0,
            device_credit: 1.0,
            host_credit: 0.75,
            request_weight: 0.0,
            block_tokens: None,
        }
    }
}

/// Tokens of a block where nobody says: the default of most engines.
const BLOCK_TOKENS: u32 = 16;

/// Scores 1 - (cost - least cost) / greatest cost, where cost, in blocks, is
/// `prefill_scale · (queued prompt + prompt - credited tokens) / block_tokens + blocks in use with this prompt
/// + request_weight · requests`. A decode stage has no prompt to compute, a prefill stage keeps both parts.
///
/// Use it with the picker `best` (temperature 0) or `softmax`: differences of cost keep their proportions, so that a
/// temperature means what it means there. It counts blocks alone: on mixed chips a block costs the same everywhere; use
/// `latency` there.
///
/// NVIDIA Dynamo's KV router, 1.6. Three differences: what is cached in host memory and on disk is one tier here (0.75 and
/// 0.25 there); blocks in use are counted in grains of 512 tokens; and prompt blocks that running requests hold already
/// count as in use a second time, except where the KV cache is nearly full.
#[derive(Clone, Copy, Debug, Default)]
pub struct DynamoCost {
    params: DynamoCostParams,
}

impl DynamoCost {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where a weight is negative, a credit is outside 0 to 1, or a block has no tokens.
    pub fn new(params: DynamoCostParams) -> Result<Self, ParamError> {
        for (name, weight) in [
            ("prefill_scale", params.prefill_scale),
            ("request_weight", params.request_weight),
        ] {
            let sound = weight.is_finite() && weight >= 0.0;
            ensure(sound, &format!("`{name}` must be 0 or more"))?;
        }
        for (name, credit) in [
            ("device_credit", params.device_credit),
            ("host_credit", params.host_credit),
        ] {
            let sound = (0.0..=1.0).contains(&credit);
            ensure(sound, &format!("`{name}` must be from 0 to 1"))?;
        }
        ensure(
            params.block_tokens != Some(0),
            "`block_tokens` must be at least 1",
        )?;
        Ok(Self { params })
    }

    fn cost(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>, forecast: &Forecast) -> f64 {
        let params = &self.params;
        let of_request = Some(cx.block_tokens).filter(|&tokens| tokens > 0);
        let block = f64::from(params.block_tokens.or(of_request).unwrap_or(BLOCK_TOKENS));
        let prompt = f64::from(cx.prompt_tokens);
        let loaded = f64::from(candidate.loaded_tokens);
        let near = f64::from(candidate.cached_tokens) - loaded;
        let credit = (params.device_credit * near + params.host_credit * loaded).min(prompt);
        let prefill = match cx.stage {
            Stage::Decode => 0.0,
            _ => forecast.queued_tokens + prompt - credit,
        };
        // The forecast's tokens include half of everybody's expected output, which is not in use yet.
        let growth = forecast.output_tokens * (forecast.requests + 1.0) / 2.0;
        let active = (forecast.active_tokens - growth).max(0.0);
        (params.prefill_scale * prefill + active) / block
            + params.request_weight * forecast.requests
    }
}

impl Scorer for DynamoCost {
    fn samples(&self) -> bool {
        true
    }

    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        by_difference(candidates, out, |candidate| {
            self.cost(cx, candidate, &candidate.forecast(cx))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{booked, candidates, cx, scores, uniform};

    fn costs(params: DynamoCostParams, cx: &RouteCx<'_>, all: &[Candidate<'_>]) -> Vec<f64> {
        let scorer = DynamoCost::new(params).expect("valid");
        all.iter()
            .map(|candidate| scorer.cost(cx, candidate, &candidate.forecast(cx)))
            .collect()
    }

    #[test]
    fn is_blocks_to_compute_and_blocks_in_use() {
        let fleet = uniform(3);
        let _queue = booked(&fleet, 1, &[800]);
        let mut all = candidates(&fleet);
        all[1].load.requests = 1;
        all[2].cached_tokens = 1_200;
        all[2].loaded_tokens = 400;
        let cx = cx(1_600);
        let plain = DynamoCostParams::default();
        // To compute: 1600, 800 + 1600, 1600 - 800 - 0.75 · 400; in use: 1600, 800 + 1600, 1600; all by 16.
        assert_eq!(costs(plain, &cx, &all), [200.0, 300.0, 131.25]);
        let weighted = DynamoCostParams {
            prefill_scale: 2.0,
            request_weight: 10.0,
            block_tokens: Some(32),
            ..plain
        };
        assert_eq!(costs(weighted, &cx, &all), [150.0, 235.0, 81.25]);
        let scored = scores(&DynamoCost::new(plain).expect("valid"), &cx, &all);
        assert_eq!(scored, [1.0 - 68.75 / 300.0, 1.0 - 168.75 / 300.0, 1.0]);
    }

    #[test]
    fn a_decode_stage_has_nothing_to_compute() {
        let fleet = uniform(2);
        let mut all = candidates(&fleet);
        all[1].cached_tokens = 1_600;
        let costs = costs(
            DynamoCostParams::default(),
            &cx(1_600).stage(Stage::Decode),
            &all,
        );
        assert_eq!(costs, [100.0, 100.0]);
    }

    #[test]
    fn parameters_that_make_no_sense_are_refused() {
        for json in [
            r#"{"prefill_scale": -1}"#,
            r#"{"host_credit": 1.5}"#,
            r#"{"device_credit": -0.1}"#,
            r#"{"request_weight": -2}"#,
            r#"{"block_tokens": 0}"#,
        ] {
            DynamoCost::new(serde_json::from_str(json).expect("json")).expect_err(json);
        }
    }
}
