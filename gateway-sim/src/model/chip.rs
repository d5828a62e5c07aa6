//! How long a step takes on which chip.

use serde::{Deserialize, Serialize};

/// The constants of one model on one chip, from which the time of any step follows.
///
/// With `n` new prompt tokens, `N` decoding sequences and `K` tokens of context among these, a step takes
///
/// ```text
/// max(d0 + dB·N, a + b·(n + N))   where n > 0, else  d0 + dB·N
///   + c·Σ nᵢ·(pᵢ + nᵢ/2) + dKV·K + host
/// ```
///
/// milliseconds, where `pᵢ` is what prompt `i` had computed before. The named profiles are least-squares fits to
/// per-operator measurements published with AIConfigurator 0.12 (vLLM, bf16), with an error of 1 to 6 %; those of MI300X
/// and 910B are estimates from data sheets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipProfile {
    /// `a`: milliseconds of a step that has prompt tokens, before the tokens count.
    pub prefill_base_ms: f64,
    /// `b`: milliseconds per token of such a step.
    pub prefill_ms_per_token: f64,
    /// `c`: milliseconds per pair of a new prompt token and a token before it.
    pub attention_ms_per_pair: f64,
    /// `d0`: milliseconds of a step that only decodes, before the sequences count.
    pub decode_base_ms: f64,
    /// `dB`: milliseconds per decoding sequence.
    pub decode_ms_per_sequence: f64,
    /// `dKV`: milliseconds per token of context that decoding sequences read.
    pub decode_ms_per_context_token: f64,
    /// Milliseconds the host adds to each step.
    pub host_ms: f64,
    /// Tokens the KV cache holds.
    pub kv_tokens: u32,
    /// Tokens one step may compute.
    pub batch_tokens: u32,
}

/// What one step has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepLoad {
    /// New prompt tokens, over all prompts.
    pub prompt_tokens: u32,
    /// Decoding sequences.
    pub decodes: u32,
    /// Tokens of context among the decoding sequences.
    pub context_tokens: u64,
    /// Sum over the prompts of `n·(p + n/2)`: pairs of a new token and one before it.
    pub attention_pairs: f64,
}

impl ChipProfile {
    /// The profile of that name, one of [`ChipProfile::names`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        PROFILES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, profile)| *profile)
    }

    /// The names of all profiles: model size, chip, and the number of chips where it is not one.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PROFILES.iter().map(|(name, _)| *name)
    }

    /// Milliseconds one step takes.
    #[must_use]
    pub fn step_ms(&self, load: &StepLoad) -> f64 {
        let decodes = f64::from(load.decodes);
        let decode = self.decode_base_ms + self.decode_ms_per_sequence * decodes;
        let dense = if load.prompt_tokens > 0 {
            let tokens = f64::from(load.prompt_tokens) + decodes;
            decode.max(self.prefill_base_ms + self.prefill_ms_per_token * tokens)
        } else {
            decode
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "token counts stay far below 2^52"
        )]
        let context = load.context_tokens as f64;
        dense
            + self.attention_ms_per_pair * load.attention_pairs
            + self.decode_ms_per_context_token * context
            + self.host_ms
    }
}

/// One row of the table, in the order of the formula's constants.
const fn row(
    prefill: [f64; 3],
    decode: [f64; 3],
    kv_tokens: u32,
    batch_tokens: u32,
) -> ChipProfile {
    ChipProfile {
        prefill_base_ms: prefill[0],
        prefill_ms_per_token: prefill[1],
        attention_ms_per_pair: prefill[2],
        decode_base_ms: decode[0],
        decode_ms_per_sequence: decode[1],
        decode_ms_per_context_token: decode[2],
        host_ms: 1.5,
        kv_tokens,
        batch_tokens,
    }
}

/// Name; a, b, c; d0, dB, dKV; KV tokens; tokens in a step.
const PROFILES: [(&str, ChipProfile); 11] = [
    (
        "8b-h100",
        row(
            [2.98, 0.01905, 7.96e-7],
            [6.43, 0.0097, 4.24e-5],
            438_000,
            8_192,
        ),
    ),
    (
        "8b-h200",
        row(
            [1.79, 0.01959, 8.03e-7],
            [4.97, 0.0102, 2.99e-5],
            888_000,
            8_192,
        ),
    ),
    (
        "8b-b200",
        row(
            [2.06, 0.00952, 4.12e-7],
            [3.42, 0.0038, 1.81e-5],
            1_080_000,
            8_192,
        ),
    ),
    (
        "8b-a100",
        row(
            [8.06, 0.05429, 2.96e-6],
            [11.62, 0.0300, 8.26e-5],
            438_000,
            2_048,
        ),
    ),
    (
        "8b-l40s",
        row(
            [10.55, 0.06225, 2.87e-6],
            [22.25, 0.0314, 1.95e-4],
            186_000,
            2_048,
        ),
    ),
    (
        "8b-mi300x",
        row(
            [4.0, 0.0225, 1.33e-6],
            [5.4, 0.012, 3.5e-5],
            1_170_000,
            8_192,
        ),
    ),
    (
        "8b-910b",
        row([9.0, 0.0743, 5.0e-6], [18.5, 0.04, 1.3e-4], 287_000, 2_048),
    ),
    (
        "70b-h100-tp4",
        row(
            [6.86, 0.06043, 9.94e-7],
            [15.22, 0.0316, 2.68e-5],
            467_000,
            8_192,
        ),
    ),
    (
        "70b-h200-tp4",
        row(
            [5.16, 0.05986, 9.93e-7],
            [12.29, 0.0310, 1.85e-5],
            1_190_000,
            8_192,
        ),
    ),
    (
        "70b-b200-tp2",
        row(
            [9.18, 0.05116, 1.03e-6],
            [14.30, 0.0314, 2.31e-5],
            535_000,
            8_192,
        ),
    ),
    (
        "70b-a100-tp4",
        row(
            [18.34, 0.15353, 3.70e-6],
            [27.83, 0.1001, 5.48e-5],
            467_000,
            2_048,
        ),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_prefill_step_takes_what_the_fit_was_checked_against() {
        let chip = ChipProfile::named("8b-h100").expect("in the table");
        let load = StepLoad {
            prompt_tokens: 8_192,
            attention_pairs: 8_192.0 * 4_096.0,
            ..StepLoad::default()
        };
        let ms = chip.step_ms(&load);
        assert!((185.0..195.0).contains(&ms), "{ms} ms");
    }

    #[test]
    fn every_profile_slows_down_with_load() {
        for name in ChipProfile::names() {
            let chip = ChipProfile::named(name).expect("listed");
            let light = StepLoad {
                decodes: 1,
                context_tokens: 100,
                ..StepLoad::default()
            };
            let heavy = StepLoad {
                decodes: 64,
                context_tokens: 100_000,
                ..StepLoad::default()
            };
            let mixed = StepLoad {
                prompt_tokens: 2_000,
                attention_pairs: 2e6,
                ..heavy
            };
            assert!(chip.step_ms(&light) < chip.step_ms(&heavy), "{name}");
            assert!(chip.step_ms(&heavy) < chip.step_ms(&mixed), "{name}");
        }
        assert_eq!(ChipProfile::named("abacus"), None);
    }
}
