//! What all choices of a prompt share.

use std::sync::Arc;

use super::closing::Closings;
use super::form::Phase;
use super::output::Output;
use crate::engines::IdLogprob;
use crate::ir::TokenLogprob;
use crate::text::detokenize::{
    DetokenizeOptions, Detokenizer, Stop, StopMatcher, StopOptions, StopOptionsError,
};
use crate::text::model::{Constraint, StrictFormat};
use crate::text::parse::{Family, Parser, ParserSpec, ReasoningStyle};
use crate::text::tokenize::Tokenizer;

/// How the answers to a prompt are read.
#[derive(Debug)]
pub(in crate::text::model) struct Reading {
    pub(in crate::text::model) tokenizer: Arc<Tokenizer>,
    pub(in crate::text::model) spec: ParserSpec,
    pub(in crate::text::model) closings: Closings,
    pub(in crate::text::model) constraint: Option<Constraint>,
    pub(in crate::text::model) strict: StrictFormat,
    pub(in crate::text::model) budget: Option<u64>,
    pub(in crate::text::model) stops: StopSpec,
    pub(in crate::text::model) ends: Arc<[u32]>,
    pub(in crate::text::model) stop_token_ids: Vec<u32>,
    pub(in crate::text::model) ignores_end: bool,
    /// The caller takes one call at a time: the answer is over with the first.
    pub(in crate::text::model) takes_one_call: bool,
    /// Calls may come, and need not.
    pub(in crate::text::model) may_call: bool,
    pub(in crate::text::model) wants_ids: bool,
    /// Special tokens that the parser reads; others are no part of the text.
    pub(in crate::text::model) kept: Arc<[u32]>,
    pub(in crate::text::model) min_tokens: u64,
    pub(in crate::text::model) seed: u64,
}

/// Where an answer stops, checked once and copied for each choice.
#[derive(Debug)]
pub(in crate::text::model) struct StopSpec {
    /// The caller's own; the model's follow them.
    asked: Vec<String>,
    matcher: StopMatcher,
}

impl StopSpec {
    pub(in crate::text::model) fn new(
        asked: &[String],
        of_model: &[String],
        keep_stop: bool,
        min_tokens: u64,
    ) -> Result<Self, StopOptionsError> {
        let matcher = StopMatcher::new(StopOptions {
            stops: asked.iter().chain(of_model).cloned().collect(),
            keep_stop,
            min_tokens,
        })?;
        let asked = asked.to_vec();
        Ok(Self { asked, matcher })
    }

    /// The text, if it is one of the caller's own.
    pub(super) fn asked(&self, stop: Stop) -> Option<String> {
        self.asked.get(stop.index).cloned()
    }
}

impl Reading {
    /// Where the constraint stands at the beginning: it waits until the model has reasoned, and where calls may come as
    /// well, until it is clear that none does.
    pub(super) fn phase(&self) -> Phase {
        let Some(constraint) = &self.constraint else {
            return Phase::Settled;
        };
        let reasons =
            self.spec.reasoning != ReasoningStyle::None || self.spec.family == Family::Harmony;
        if self.may_call && constraint.leaves_calls() {
            Phase::Choosing
        } else if reasons {
            Phase::Waiting {
                has_reasoned: self.spec.reasoning.starts_in_reasoning(),
            }
        } else {
            Phase::Settled
        }
    }

    /// Whether there is a constraint that the engine cannot enforce from the first token on.
    pub(in crate::text::model) fn waits(&self) -> bool {
        self.phase() != Phase::Settled
    }

    /// Whether an answer may need a second call.
    pub(in crate::text::model) fn may_continue(&self) -> bool {
        self.waits() || self.budget.is_some()
    }

    /// Whether `id` ends an answer and so has no text of its own.
    pub(super) fn ends_answer(&self, id: u32) -> bool {
        let is_end = !self.ignores_end && self.ends.contains(&id);
        is_end || self.stop_token_ids.contains(&id)
    }

    /// Whether `id` is part of the text.
    pub(super) fn shows(&self, id: u32) -> bool {
        !self.tokenizer.is_special(id) || self.kept.contains(&id)
    }

    pub(super) fn detokenizer(&self) -> Detokenizer {
        let options = DetokenizeOptions {
            keep_special: true,
            hidden: Vec::new(),
            continues: true,
        };
        Detokenizer::new(Arc::clone(&self.tokenizer), options)
    }

    pub(super) fn stop_matcher(&self) -> StopMatcher {
        self.stops.matcher.clone()
    }

    /// The parser of an answer from its beginning.
    pub(super) fn parser(&self) -> Box<dyn Parser> {
        match self.constraint {
            Some(_) if !self.waits() => self.constrained_parser(),
            _ => self.spec.build(),
        }
    }

    /// The parser of what the engine holds to a form.
    pub(super) fn constrained_parser(&self) -> Box<dyn Parser> {
        let is_calls = self.constraint.as_ref().is_some_and(|one| one.is_calls);
        let spec = ParserSpec {
            family: if is_calls { Family::Json } else { Family::None },
            reasoning: ReasoningStyle::None,
            tools: Arc::clone(&self.spec.tools),
        };
        spec.build()
    }

    pub(super) fn output(&self, choice: u32) -> Output {
        Output::new(self.spec.family, self.strict.clone(), self.seed, choice)
    }

    /// Ids as text.
    pub(super) fn logprob(&self, of: &IdLogprob) -> TokenLogprob {
        let top = of.top.iter().map(|(id, logprob)| self.one(*id, *logprob));
        TokenLogprob {
            top: top.collect(),
            ..self.one(of.id, of.logprob)
        }
    }

    fn one(&self, id: u32, logprob: f64) -> TokenLogprob {
        let bytes = self.tokenizer.bytes_of(id).unwrap_or_default();
        TokenLogprob {
            token: String::from_utf8_lossy(bytes).into_owned(),
            bytes: bytes.to_vec(),
            id: Some(id),
            logprob,
            top: Vec::new(),
        }
    }
}
