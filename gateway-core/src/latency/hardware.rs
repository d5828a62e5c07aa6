//! What is known of an engine's hardware, and the first guess of its speed that follows.

use serde::{Deserialize, Serialize};

use super::StepCosts;

/// An engine's hardware as configuration or discovery describes it. Everything is optional: what is missing is guessed,
/// and what is learned replaces the guess.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hardware {
    /// What endpoints of equal speed have in common, such as the chip's name; they learn together.
    pub class: Option<String>,
    /// Peak dense matrix rate in 10^12 operations a second, all chips of the engine together.
    pub tflops: Option<f64>,
    /// Memory bandwidth in 10^9 bytes a second, all chips of the engine together.
    pub hbm_gbs: Option<f64>,
    /// Network bandwidth in 10^9 bytes a second, over which KV cache leaves.
    pub nic_gbs: Option<f64>,
    /// Bytes of KV cache per token.
    pub kv_bytes_per_token: Option<f64>,
    /// Bytes of the model's weights, all chips together.
    pub weight_bytes: Option<f64>,
    /// Tokens the KV cache on the device holds.
    pub kv_tokens: Option<u64>,
    /// Tokens the KV cache in host memory holds.
    pub host_tokens: Option<u64>,
    /// Sequences that may run at once.
    pub max_sequences: Option<u32>,
    /// Tokens that one step may compute.
    pub batch_tokens: Option<u32>,
    /// Measured constants, which replace the guess.
    pub costs: Option<StepCosts>,
}

/// KV bytes per token of the model on which the guess rests: eight thousand million weights in 16 bits.
const REFERENCE_KV_BYTES: f64 = 131_072.0;
/// Where nothing is said: an H100.
const REFERENCE_TFLOPS: f64 = 989.0;
const REFERENCE_HBM_GBS: f64 = 3_350.0;
const REFERENCE_NIC_GBS: f64 = 50.0;
/// A PCIe 5 link as it is in practice.
const HOST_LINK_GBS: f64 = 40.0;
/// Milliseconds the host adds to each step.
const HOST_MS: f64 = 1.5;

impl Hardware {
    /// The first guess of the constants.
    ///
    /// Scaled from fits of an 8 B and a 70 B model on seven chips: time per token and per pair goes with the matrix rate,
    /// time per step and per context token with memory bandwidth. Larger KV entries mean a larger model; the exponents
    /// join the two sizes.
    #[must_use]
    pub fn prior(&self) -> StepCosts {
        if let Some(costs) = self.costs.filter(StepCosts::is_sound) {
            return costs;
        }
        let tflops = sound(self.tflops).unwrap_or(REFERENCE_TFLOPS);
        let bytes_per_ms = sound(self.hbm_gbs).unwrap_or(REFERENCE_HBM_GBS) * 1e6;
        let kv_bytes = self.kv_bytes();
        let size = (kv_bytes / REFERENCE_KV_BYTES).clamp(0.05, 20.0);
        let weights = sound(self.weight_bytes).unwrap_or(16e9 * size.powf(2.37));
        let weights_ms = weights / bytes_per_ms;
        let per_token = 20.0 * (weights / 16e9).powf(1.13) / tflops;
        StepCosts {
            prefill_base_ms: 0.8 * weights_ms + HOST_MS,
            prefill_ms_per_token: per_token,
            attention_ms_per_pair: 9.5e-4 * size.powf(1.54) / tflops,
            decode_base_ms: 1.5 * weights_ms + HOST_MS,
            decode_ms_per_sequence: 0.53 * per_token,
            decode_ms_per_context_token: 1.2 * kv_bytes / bytes_per_ms,
            load_ms_per_token: kv_bytes / (HOST_LINK_GBS * 1e6),
        }
    }

    /// The class with which an endpoint learns. Those without one share the shape of what they learn, each with its own
    /// speed.
    #[must_use]
    pub fn class_name(&self) -> &str {
        self.class.as_deref().unwrap_or("default")
    }

    /// Whether the guess rests on more than nothing.
    #[must_use]
    pub fn has_rates(&self) -> bool {
        self.costs.is_some() || (self.tflops.is_some() && self.hbm_gbs.is_some())
    }

    /// Tokens that one step may compute.
    #[must_use]
    pub fn step_tokens(&self) -> f64 {
        f64::from(
            self.batch_tokens
                .filter(|&tokens| tokens > 0)
                .unwrap_or(8_192),
        )
    }

    /// Milliseconds to move the KV cache of `tokens` tokens to another engine.
    #[must_use]
    pub fn transfer_ms(&self, tokens: f64) -> f64 {
        let gbs = sound(self.nic_gbs).unwrap_or(REFERENCE_NIC_GBS);
        tokens * self.kv_bytes() / (gbs * 1e6)
    }

    fn kv_bytes(&self) -> f64 {
        sound(self.kv_bytes_per_token).unwrap_or(REFERENCE_KV_BYTES)
    }
}

/// A rate that can be one.
fn sound(rate: Option<f64>) -> Option<f64> {
    rate.filter(|rate| rate.is_finite() && *rate > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fits of §8B and 70B on real chips: matrix rate, bandwidth, KV bytes; `b`, `d0`, `dKV` without the host's share.
    const FITS: [([f64; 3], [f64; 3]); 6] = [
        ([989.0, 3_350.0, 131_072.0], [0.01905, 6.43, 4.24e-5]),
        ([2_250.0, 8_000.0, 131_072.0], [0.00952, 3.42, 1.81e-5]),
        ([312.0, 2_039.0, 131_072.0], [0.05429, 11.62, 8.26e-5]),
        ([362.0, 864.0, 131_072.0], [0.06225, 22.25, 1.95e-4]),
        ([3_956.0, 13_400.0, 327_680.0], [0.06043, 15.22, 2.68e-5]),
        ([1_248.0, 8_156.0, 327_680.0], [0.15353, 27.83, 5.48e-5]),
    ];

    #[test]
    fn data_sheets_come_near_what_was_measured() {
        for ([tflops, hbm, kv], [per_token, base, context]) in FITS {
            let guess = Hardware {
                tflops: Some(tflops),
                hbm_gbs: Some(hbm),
                kv_bytes_per_token: Some(kv),
                ..Hardware::default()
            }
            .prior();
            for (guess, fit) in [
                (guess.prefill_ms_per_token, per_token),
                (guess.decode_base_ms - HOST_MS, base),
                (guess.decode_ms_per_context_token, context),
            ] {
                assert!(
                    (0.7..1.4).contains(&(guess / fit)),
                    "{tflops}: {guess} {fit}"
                );
            }
        }
    }

    #[test]
    fn nonsense_on_the_sheet_counts_as_unknown() {
        let odd = Hardware {
            tflops: Some(f64::NAN),
            hbm_gbs: Some(-1.0),
            kv_bytes_per_token: Some(0.0),
            nic_gbs: Some(f64::INFINITY),
            batch_tokens: Some(0),
            ..Hardware::default()
        };
        assert_eq!(odd.prior(), Hardware::default().prior());
        assert!(odd.prior().is_sound());
        assert!(odd.step_tokens() > 0.0 && odd.transfer_ms(1e4).is_finite());
    }
}
