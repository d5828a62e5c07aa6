//! Which parser an answer gets.

use std::sync::Arc;

use serde_json::Value;

use super::answer::{Answer, Calls};
use super::bare::Bare;
use super::driver::{Driver, Traced};
use super::gemma::Gemma;
use super::harmony::Harmony;
use super::hermes::Hermes;
use super::llama3::Llama3;
use super::mistral::Mistral;
use super::plain::Plain;
use super::pythonic::Pythonic;
use super::section::Section;
use super::tagged::{self, Shape, Tagged};
use super::{Family, Parser, ReasoningStyle, deepseek, kimi};
use crate::ir::Tool;

/// What parsers need to know of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// Its name.
    pub name: String,
    /// The JSON schema of its parameters; null where none is given.
    pub parameters: Value,
}

impl ToolSpec {
    /// What parsers need to know of a request's tools; those that are no functions are left out. A schema that is no
    /// JSON counts as none.
    #[must_use]
    pub fn of_tools<'t>(tools: impl IntoIterator<Item = &'t Tool>) -> Arc<[Self]> {
        let functions = tools.into_iter().filter_map(|tool| match tool {
            Tool::Function {
                name, definition, ..
            } => Some(Self {
                name: name.clone(),
                parameters: definition
                    .raw("parameters")
                    .and_then(|raw| serde_json::from_str(raw).ok())
                    .unwrap_or_default(),
            }),
            Tool::Other(_) => None,
        });
        functions.collect()
    }
}

/// Describes the parser of one answer.
#[derive(Clone, Debug, Default)]
pub struct ParserSpec {
    /// How calls are written. [`Family::None`] where the request has no tools, lest an answer that looks like a call be
    /// taken for one.
    pub family: Family,
    /// How reasoning is told from content.
    pub reasoning: ReasoningStyle,
    /// The request's tools. Families without types of their own convert values by the schemas; calls of other tools
    /// are calls all the same.
    pub tools: Arc<[ToolSpec]>,
}

impl ParserSpec {
    /// A parser at the beginning of an answer.
    #[must_use]
    pub fn build(&self) -> Box<dyn Parser> {
        self.traced()
    }

    /// The same parser, able to account for every byte.
    pub(crate) fn traced(&self) -> Box<dyn Traced> {
        match self.family {
            Family::Hermes => self.answer(Hermes::default()),
            Family::Llama3Json => self.answer(Llama3::default()),
            Family::Mistral => self.answer(Mistral::default()),
            Family::DeepSeekV3 => self.answer(Section::new(&deepseek::V3)),
            Family::DeepSeekV31 => self.answer(Section::new(&deepseek::V31)),
            Family::KimiK2 => self.answer(Section::new(&kimi::KIMI_K2)),
            Family::Json => self.answer(Bare::default()),
            Family::Qwen3Coder => self.tagged(&tagged::QWEN3_CODER),
            Family::Glm45 | Family::Glm47 => self.tagged(&tagged::GLM),
            Family::MiniMaxM2 => self.tagged(&tagged::MINIMAX_M2),
            Family::DeepSeekV32 => self.tagged(&tagged::DSML),
            Family::Pythonic => self.answer(Pythonic::bare()),
            Family::Llama4Pythonic => self.answer(Pythonic::llama4()),
            Family::Gemma => self.answer(Gemma::new(Arc::clone(&self.tools))),
            Family::Harmony => Box::new(Driver::new(Harmony::new())),
            _ => self.answer(Plain),
        }
    }

    fn tagged(&self, shape: &'static Shape) -> Box<dyn Traced> {
        self.answer(Tagged::new(shape, Arc::clone(&self.tools)))
    }

    fn answer<C: Calls + 'static>(&self, calls: C) -> Box<dyn Traced> {
        Box::new(Driver::new(Answer::new(calls, &self.reasoning)))
    }
}
