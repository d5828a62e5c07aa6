//! A schema ready to hold answers to.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::bounds::{self, Bounded, SchemaError};
use super::work;

/// The most violations that are told.
const MOST_VIOLATIONS: usize = 3;
/// The most bytes of one compiled pattern.
const PATTERN_BYTES: usize = 128 << 10;
/// Bytes of memory that a byte of a schema becomes, roughly.
const GROWTH: usize = 16;
/// Steps of checking that any answer may take, and those that each of its bytes adds.
const STEPS: usize = 50_000;
const STEPS_PER_BYTE: usize = 16;

/// A checked schema with its validator.
pub(in crate::text::model) struct Compiled {
    schema: Value,
    validator: Validator,
    weight_bytes: usize,
}

impl Compiled {
    /// Of the JSON of a schema.
    pub(in crate::text::model) fn of(text: &str) -> Result<Self, SchemaError> {
        let Bounded { schema, patterns } = bounds::read(text)?;
        let weight_bytes = text.len() * GROWTH + patterns * PATTERN_BYTES;
        // Patterns must match in linear time, and nothing may be fetched whatever features the crate is built with.
        let matching = PatternOptions::regex()
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES);
        let validator = jsonschema::options()
            .offline()
            .with_pattern_options(matching)
            .build(&schema)
            .map_err(|error| SchemaError::Compile(error.to_string()))?;
        Ok(Self {
            schema,
            validator,
            weight_bytes,
        })
    }

    /// The most memory that it is likely to hold.
    pub(super) fn weight_bytes(&self) -> usize {
        self.weight_bytes
    }

    /// What is wrong with `text`, which is called `of` in the sentence about it.
    pub(in crate::text::model) fn violation(&self, text: &str, of: &str) -> Option<String> {
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => return Some(format!("{of} is no JSON: {error}")),
        };
        let steps = STEPS + text.len().saturating_mul(STEPS_PER_BYTE);
        if !work::fits(&self.schema, &value, steps) {
            return Some(format!("{of} would take too long to hold to its schema"));
        }
        if self.validator.is_valid(&value) {
            return None;
        }
        let told: Vec<String> = self
            .validator
            .iter_errors(&value)
            .take(MOST_VIOLATIONS)
            .map(|error| format!("{} at '{}'", error.masked(), error.instance_path()))
            .collect();
        Some(format!("{of} breaks its schema: {}", told.join("; ")))
    }
}
