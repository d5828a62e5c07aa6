//! What an engine runs on.

use std::num::{NonZeroU32, NonZeroU64};

use gateway_core::latency::{Chip, Hardware, StepCosts};
use schemars::JsonSchema;
use serde::Deserialize;

use super::values::written;

/// A chip that is known by name.
#[derive(Clone, Copy, Debug)]
pub struct ChipName(pub Chip);

written!(
    ChipName,
    "one of `h100`, `h200`, `b200`, `a100`, `l40s`, `mi300x` and `910b`",
    chip
);

#[derive(Debug, thiserror::Error)]
#[error("unknown chip `{name}`; known: {}; of another one, write `tflops` and `hbm_gbs`", Chip::ALL.map(|chip| chip.name).join(", "))]
struct ChipError {
    name: String,
}

fn chip(name: &str) -> Result<Chip, ChipError> {
    Chip::named(name).ok_or_else(|| ChipError {
        name: name.to_owned(),
    })
}

/// What an engine runs on, from which its speed is guessed until it is learned. What is missing is guessed too.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HardwareFile {
    /// The chip: fills `class`, `tflops` and `hbm_gbs` from its data sheet.
    pub chip: Option<ChipName>,
    /// Chips of the engine, all data-parallel or tensor-parallel ranks together; 1 where unset.
    pub chips: Option<NonZeroU32>,
    /// What endpoints of equal speed have in common; they learn together.
    pub class: Option<String>,
    /// Peak dense matrix rate in 10^12 operations a second, all chips together.
    pub tflops: Option<f64>,
    /// Memory bandwidth in 10^9 bytes a second, all chips together.
    pub hbm_gbs: Option<f64>,
    /// Network bandwidth in 10^9 bytes a second, over which KV cache leaves.
    pub nic_gbs: Option<f64>,
    /// Bytes of KV cache per token.
    pub kv_bytes_per_token: Option<f64>,
    /// Bytes of the model's weights, all chips together.
    pub weight_bytes: Option<f64>,
    /// Tokens the KV cache on the device holds; as the engine reports where unset.
    pub kv_tokens: Option<NonZeroU64>,
    /// Tokens the KV cache in host memory holds.
    pub host_tokens: Option<NonZeroU64>,
    /// Sequences that may run at once.
    pub max_sequences: Option<NonZeroU32>,
    /// Tokens that one step may compute.
    pub batch_tokens: Option<NonZeroU32>,
    /// Measured times, which replace the guess.
    pub costs: Option<CostsFile>,
}

/// Measured times of an engine's steps, in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostsFile {
    /// A step that has prompt tokens, before the tokens count.
    pub prefill_base_ms: f64,
    /// Each token of such a step.
    pub prefill_ms_per_token: f64,
    /// Each pair of a new prompt token and a token before it.
    pub attention_ms_per_pair: f64,
    /// A step that only decodes, before the sequences count.
    pub decode_base_ms: f64,
    /// Each decoding sequence.
    pub decode_ms_per_sequence: f64,
    /// Each token of context that decoding sequences read.
    pub decode_ms_per_context_token: f64,
    /// Each token of KV cache loaded from a lower tier.
    pub load_ms_per_token: f64,
}

impl From<CostsFile> for StepCosts {
    fn from(file: CostsFile) -> Self {
        Self {
            prefill_base_ms: file.prefill_base_ms,
            prefill_ms_per_token: file.prefill_ms_per_token,
            attention_ms_per_pair: file.attention_ms_per_pair,
            decode_base_ms: file.decode_base_ms,
            decode_ms_per_sequence: file.decode_ms_per_sequence,
            decode_ms_per_context_token: file.decode_ms_per_context_token,
            load_ms_per_token: file.load_ms_per_token,
        }
    }
}

impl From<HardwareFile> for Hardware {
    /// What is written counts before what the chip's data sheet says.
    fn from(file: HardwareFile) -> Self {
        let count = file.chips.map_or(1, NonZeroU32::get);
        let sheet = file
            .chip
            .map_or_else(Self::default, |ChipName(chip)| chip.hardware(count));
        Self {
            class: file.class.or(sheet.class),
            tflops: file.tflops.or(sheet.tflops),
            hbm_gbs: file.hbm_gbs.or(sheet.hbm_gbs),
            nic_gbs: file.nic_gbs,
            kv_bytes_per_token: file.kv_bytes_per_token,
            weight_bytes: file.weight_bytes,
            kv_tokens: file.kv_tokens.map(NonZeroU64::get),
            host_tokens: file.host_tokens.map(NonZeroU64::get),
            max_sequences: file.max_sequences.map(NonZeroU32::get),
            batch_tokens: file.batch_tokens.map(NonZeroU32::get),
            costs: file.costs.map(StepCosts::from),
        }
    }
}
