//! The learned model of one endpoint: its class's weights and its own speed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::{Hardware, PromptWork, StepCosts, regression::Regression, speed::Speed};

/// How far off, relatively, a guess from a data sheet and one from nothing may be.
const SHEET_DEVIATION: f64 = 0.35;
const BLIND_DEVIATION: f64 = 1.5;
/// Prompt work from which a sample counts half, in milliseconds.
const HALF_TRUST_MS: f64 = 40.0;

/// What endpoints of one class have in common.
#[derive(Debug)]
pub struct ClassModel {
    weights: Mutex<ClassWeights>,
}

#[derive(Debug)]
struct ClassWeights {
    prefill: Regression<5>,
    decode: Regression<3>,
}

/// Prompts that were worked on for a while, and how long that took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PrefillSample {
    /// The work.
    pub work: PromptWork,
    /// Sequences that decoded meanwhile.
    pub decodes: f64,
    /// Their context in tokens.
    pub context_tokens: f64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: f64,
}

/// A request's output, and how long it took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DecodeSample {
    /// Tokens after the first.
    pub tokens: f64,
    /// Sequences that decoded beside it, itself included, on average.
    pub decodes: f64,
    /// Their context in tokens, on average.
    pub context_tokens: f64,
    /// Predicted prompt work on the engine meanwhile, in milliseconds.
    pub prefill_ms: f64,
    /// Steps in which that was done.
    pub prefill_steps: f64,
    /// Time from the first to the last token, in milliseconds.
    pub elapsed_ms: f64,
}

/// The weights of a class, to keep across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnedClass {
    /// Weights of the parts of prompt work.
    pub prefill: [f64; 5],
    /// Weights of the parts of a decode step.
    pub decode: [f64; 3],
}

/// The speed of an endpoint, to keep across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnedEngine {
    /// Factor on prompt work.
    pub prefill: f64,
    /// Factor on decode steps.
    pub decode: f64,
}

impl ClassModel {
    /// A class about which nothing is learned yet.
    #[must_use]
    pub fn new(hardware: &Hardware) -> Self {
        let deviation = if hardware.has_rates() {
            SHEET_DEVIATION
        } else {
            BLIND_DEVIATION
        };
        Self {
            weights: Mutex::new(ClassWeights {
                prefill: Regression::new(deviation),
                decode: Regression::new(deviation),
            }),
        }
    }

    /// What was learned.
    #[must_use]
    pub fn learned(&self) -> LearnedClass {
        let weights = self.weights();
        LearnedClass {
            prefill: weights.prefill.weights(),
            decode: weights.decode.weights(),
        }
    }

    /// Takes over what was learned earlier; impossible weights are ignored.
    pub fn restore(&self, learned: &LearnedClass) {
        let mut weights = self.weights();
        weights.prefill.restore(learned.prefill);
        weights.decode.restore(learned.decode);
    }

    fn weights(&self) -> MutexGuard<'_, ClassWeights> {
        self.weights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one endpoint takes for which work.
#[derive(Clone, Debug)]
pub struct EngineModel {
    class: Arc<ClassModel>,
    prior: StepCosts,
    batch_tokens: f64,
    prefill: Speed,
    decode: Speed,
}

impl EngineModel {
    /// The model of an endpoint with that hardware.
    #[must_use]
    pub fn new(hardware: &Hardware, class: Arc<ClassModel>) -> Self {
        Self {
            class,
            prior: hardware.prior(),
            batch_tokens: hardware.step_tokens(),
            prefill: Speed::default(),
            decode: Speed::default(),
        }
    }

    /// Predicted milliseconds of prompt work while `decodes` sequences with `context` tokens ride along.
    #[must_use]
    pub fn prefill_ms(&self, work: &PromptWork, decodes: f64, context: f64) -> f64 {
        let parts = self.prefill_parts(work, decodes, context);
        self.class.weights().prefill.predict(&parts) * self.prefill.factor()
    }

    /// Predicted milliseconds of one step that only decodes.
    #[must_use]
    pub fn step_ms(&self, decodes: f64, context: f64) -> f64 {
        let parts = self.prior.decode_parts(decodes, context);
        self.class.weights().decode.predict(&parts) * self.decode.factor()
    }

    /// Milliseconds that one more sequence with `context` tokens adds to every step.
    #[must_use]
    pub fn added_ms(&self, context: f64) -> f64 {
        let [_, sequence, context] = self.prior.decode_parts(1.0, context);
        let parts = [0.0, sequence, context];
        self.class.weights().decode.predict(&parts) * self.decode.factor()
    }

    /// Steps that prompt work takes.
    #[must_use]
    pub fn steps(&self, work: &PromptWork) -> f64 {
        (work.uncached_tokens / self.batch_tokens).max(1.0)
    }

    /// Learns from prompts.
    pub fn learn_prefill(&mut self, sample: &PrefillSample) {
        let parts = self.prefill_parts(&sample.work, sample.decodes, sample.context_tokens);
        let mut weights = self.class.weights();
        let predicted = weights.prefill.predict(&parts);
        if predicted <= 0.0 || sample.elapsed_ms <= 0.0 {
            return;
        }
        let trust = predicted / (predicted + HALF_TRUST_MS);
        if trust > 0.2 {
            let own = sample.elapsed_ms / self.prefill.factor();
            weights.prefill.learn(&parts, own);
        }
        self.prefill.learn(sample.elapsed_ms / predicted, trust);
    }

    /// Learns from an output.
    pub fn learn_decode(&mut self, sample: &DecodeSample) {
        let steps = sample.tokens - sample.prefill_steps;
        // Where prompts took most of the time, little is left to tell what decoding takes.
        let own_share = 1.0 - sample.prefill_ms / sample.elapsed_ms;
        if sample.tokens < 8.0 || steps < 0.5 * sample.tokens || own_share < 0.5 {
            return;
        }
        let step_ms = (sample.elapsed_ms - sample.prefill_ms) / steps;
        let parts = self
            .prior
            .decode_parts(sample.decodes, sample.context_tokens);
        let mut weights = self.class.weights();
        let predicted = weights.decode.predict(&parts);
        if step_ms <= 0.1 * predicted {
            return;
        }
        let trust = 0.5 * own_share * steps / (steps + 20.0);
        weights.decode.learn(&parts, step_ms / self.decode.factor());
        self.decode.learn(step_ms / predicted, trust);
    }

    /// What was learned of this endpoint.
    #[must_use]
    pub fn learned(&self) -> LearnedEngine {
        LearnedEngine {
            prefill: self.prefill.learned(),
            decode: self.decode.learned(),
        }
    }

    /// Takes over what was learned earlier; impossible factors are ignored.
    pub fn restore(&mut self, learned: &LearnedEngine) {
        self.prefill.restore(learned.prefill);
        self.decode.restore(learned.decode);
    }

    /// The class.
    #[must_use]
    pub fn class(&self) -> &Arc<ClassModel> {
        &self.class
    }

    /// The factor on predicted prompt work.
    #[must_use]
    pub fn prefill_factor(&self) -> f64 {
        self.prefill.factor()
    }

    /// Drifts detected since the start.
    #[must_use]
    pub fn drifts(&self) -> u64 {
        self.prefill.jumps() + self.decode.jumps()
    }

    fn prefill_parts(&self, work: &PromptWork, decodes: f64, context: f64) -> [f64; 5] {
        self.prior
            .prefill_parts(work, decodes, context, self.batch_tokens)
    }
}
