//! Events gathered to a whole answer.

use super::{Answer, AnswerChoice, Block, Event, Head, MOST_CHOICES, Step, ToolCall};
use crate::error::ApiError;

impl Answer {
    /// An answer of which nothing has come.
    #[must_use]
    pub fn new(head: Head) -> Self {
        Self {
            head,
            ..Self::default()
        }
    }

    /// Takes in one event.
    ///
    /// # Errors
    /// The error of an answer that broke.
    pub fn push(&mut self, event: Event) -> Result<(), Box<ApiError>> {
        match event {
            Event::Step { choice, step } if choice < MOST_CHOICES => self.choice(choice).push(step),
            Event::Step { .. } => {}
            Event::Usage(usage) => self.usage = usage,
            Event::Failed(error) => return Err(error),
        }
        Ok(())
    }

    /// The events that add up to it, each part in one piece.
    #[must_use]
    pub fn into_events(self) -> Vec<Event> {
        let mut events = Vec::new();
        for (choice, answered) in (0u32..).zip(self.choices) {
            let steps = answered.into_steps();
            events.extend(steps.map(|step| Event::Step { choice, step }));
        }
        events.push(Event::Usage(self.usage));
        events
    }

    fn choice(&mut self, index: u32) -> &mut AnswerChoice {
        let index = index as usize;
        if self.choices.len() <= index {
            self.choices.resize_with(index + 1, AnswerChoice::default);
        }
        &mut self.choices[index]
    }
}

impl AnswerChoice {
    fn push(&mut self, step: Step) {
        match step {
            Step::Text(more) => match self.blocks.last_mut() {
                Some(Block::Text(text)) => text.push_str(&more),
                _ => self.blocks.push(Block::Text(more)),
            },
            Step::Reasoning(more) => match self.blocks.last_mut() {
                Some(Block::Reasoning {
                    text,
                    signature: None,
                }) => text.push_str(&more),
                _ => self.blocks.push(Block::Reasoning {
                    text: more,
                    signature: None,
                }),
            },
            Step::Signature(seal) => {
                if let Some(Block::Reasoning { signature, .. }) = self.blocks.last_mut() {
                    *signature = Some(seal);
                }
            }
            Step::CallStart { id, name } => self.blocks.push(Block::Call(ToolCall {
                id,
                name,
                ..ToolCall::default()
            })),
            Step::CallArguments(more) => {
                if let Some(Block::Call(call)) = self.blocks.last_mut() {
                    call.arguments.push_str(&more);
                }
            }
            Step::CallEnd => {}
            Step::Logprobs(tokens) => self.logprobs.extend(tokens),
            Step::TokenIds(ids) => self.token_ids.extend(ids),
            Step::PromptTokenIds(ids) => self.prompt_token_ids = Some(ids),
            Step::Finished {
                finish,
                stop,
                violation,
            } => {
                self.finish = Some(finish);
                self.stop = stop;
                self.violation = violation;
            }
        }
    }

    fn into_steps(self) -> impl Iterator<Item = Step> {
        let mut steps = Vec::new();
        steps.extend(self.prompt_token_ids.map(Step::PromptTokenIds));
        let logprobs = Some(self.logprobs).filter(|logprobs| !logprobs.is_empty());
        steps.extend(logprobs.map(Step::Logprobs));
        let ids = Some(self.token_ids).filter(|ids| !ids.is_empty());
        steps.extend(ids.map(Step::TokenIds));
        steps.extend(self.blocks.into_iter().flat_map(Block::into_steps));
        if let Some(finish) = self.finish {
            steps.push(Step::Finished {
                finish,
                stop: self.stop,
                violation: self.violation,
            });
        }
        steps.into_iter()
    }

    /// All text, reasoning and calls aside.
    #[must_use]
    pub fn text(&self) -> String {
        let texts = self.blocks.iter().filter_map(|block| match block {
            Block::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// All reasoning.
    #[must_use]
    pub fn reasoning(&self) -> String {
        let texts = self.blocks.iter().filter_map(|block| match block {
            Block::Reasoning { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// The tool calls.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Call(call) => Some(call),
            _ => None,
        })
    }
}

impl Block {
    fn into_steps(self) -> Vec<Step> {
        match self {
            Self::Text(text) => vec![Step::Text(text)],
            Self::Reasoning { text, signature } => {
                let mut steps = vec![Step::Reasoning(text)];
                steps.extend(signature.map(Step::Signature));
                steps
            }
            Self::Call(call) => {
                let mut steps = vec![Step::CallStart {
                    id: call.id,
                    name: call.name,
                }];
                let arguments = Some(call.arguments).filter(|text| !text.is_empty());
                steps.extend(arguments.map(Step::CallArguments));
                steps.push(Step::CallEnd);
                steps
            }
        }
    }
}
