//! Long documents that are asked a few questions each.

use serde::{Deserialize, Serialize};

use super::{
    Cx, Generator, Lengths,
    sessions::{self, Pace},
};
use crate::workload::{Draft, Prompt};

/// Contracts, papers, books: a long text and one question after it; the next question has the same text before it, but not
/// the question before.
///
/// With the defaults about 62 % of blocks came before (2,000 requests, blocks of 512).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Documents {
    /// Length of a document.
    pub document_tokens: Lengths,
    /// Mean questions asked of each (geometric).
    pub questions: f64,
    /// Mean seconds from one question to the next (exponential).
    pub pause_seconds: f64,
    /// Length of a question.
    pub question_tokens: Lengths,
    /// Length of an answer.
    pub output_tokens: Lengths,
}

impl Default for Documents {
    fn default() -> Self {
        Self {
            document_tokens: Lengths {
                median: 20_000,
                sigma: 0.7,
                at_most: 120_000,
            },
            questions: 4.0,
            pause_seconds: 30.0,
            question_tokens: Lengths::new(150, 0.7),
            output_tokens: Lengths::new(200, 0.8),
        }
    }
}

impl Generator for Documents {
    fn generate(&self, cx: &mut Cx) -> Vec<Draft> {
        let pace = Pace {
            turns: self.questions,
            pause_seconds: self.pause_seconds,
        };
        let open = |cx: &mut Cx| {
            let mut document = Prompt::default();
            let tokens = self.document_tokens.draw(&mut cx.rng);
            cx.append(&mut document, tokens);
            document
        };
        sessions::play(cx, pace, open, |cx, document, at| {
            let mut prompt = document.clone();
            let question = self.question_tokens.draw(&mut cx.rng);
            cx.append(&mut prompt, question);
            let output = self.output_tokens.draw(&mut cx.rng);
            cx.request(at, &prompt, output)
        })
    }
}
