//! What is written for the model between its reasoning and its answer.

use std::sync::Arc;

use crate::text::parse::{Family, ParserSpec};
use crate::text::tokenize::{Tokenizer, TokenizerError};

/// Text that is put behind what a model wrote.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Closing {
    pub(super) text: Arc<str>,
    pub(super) tokens: Arc<[u32]>,
}

/// The closings of one model.
#[derive(Clone, Debug, Default)]
pub(in crate::text::model) struct Closings {
    in_reasoning: Closing,
    in_reasoning_to_choose: Closing,
    after_reasoning: Closing,
    instead: Closing,
}

/// What follows reasoning in Harmony's form, up to the answer itself.
const HARMONY_ANSWER: &str = "<|start|>assistant<|channel|>final<|message|>";

impl Closings {
    /// Of a model that writes as `spec` says.
    ///
    /// # Errors
    /// Where the tokenizer cannot encode its own markers.
    pub(in crate::text::model) fn of(
        spec: &ParserSpec,
        tokenizer: &Tokenizer,
    ) -> Result<Self, TokenizerError> {
        let make = |text: &str| {
            Ok::<_, TokenizerError>(Closing {
                tokens: tokenizer.encode(text, false)?.into(),
                text: text.into(),
            })
        };
        if spec.family == Family::Harmony {
            return Ok(Self {
                in_reasoning: make(&format!("<|end|>{HARMONY_ANSWER}"))?,
                in_reasoning_to_choose: make("<|end|><|start|>assistant")?,
                after_reasoning: make(HARMONY_ANSWER)?,
                instead: make("<|channel|>final<|message|>")?,
            });
        }
        let Some(tags) = spec.reasoning.tags() else {
            return Ok(Self::default());
        };
        let in_reasoning = make(&format!("\n{}\n\n", tags.close()))?;
        Ok(Self {
            in_reasoning_to_choose: in_reasoning.clone(),
            in_reasoning,
            after_reasoning: make("\n\n")?,
            instead: Closing::default(),
        })
    }

    /// In the midst of reasoning, where the model is to choose between a call and an answer: only Harmony's channels keep
    /// the two apart from the start.
    pub(super) fn in_reasoning_to_choose(&self) -> Closing {
        self.in_reasoning_to_choose.clone()
    }

    /// In the midst of reasoning.
    pub(super) fn in_reasoning(&self) -> Closing {
        self.in_reasoning.clone()
    }

    /// Behind reasoning that the model ended itself.
    pub(super) fn after_reasoning(&self) -> Closing {
        self.after_reasoning.clone()
    }

    /// In place of what the model wrote without reasoning.
    pub(super) fn instead_of_reasoning(&self) -> Closing {
        self.instead.clone()
    }
}
