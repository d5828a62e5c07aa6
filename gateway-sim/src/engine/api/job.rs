//! A request for generation, free of its dialect.

use std::sync::Arc;

use gateway_proto::text::parse::ParserSpec;
use serde_json::{Value, json};

use super::answer::Dialect;
use super::logprobs::Position;
use super::plan::{Finish, Plan};
use super::reading::Reading;
use super::sampling::{Delivery, Sampling};
use super::tools::ToolCall;
use crate::engine::clock::Clock;
use crate::engine::config::{Flavour, SimConfig};
use crate::engine::error::ApiError;
use crate::engine::shell::Submission;
use crate::engine::ticket::Progress;
use crate::text::Voice;

/// Answers one request may ask for, over all its prompts.
const MOST_CHOICES: usize = 4_096;

/// What a dialect read from a request body.
pub(super) struct Ask {
    pub(super) dialect: Box<dyn Dialect>,
    pub(super) prompts: Vec<Vec<u32>>,
    pub(super) sampling: Sampling,
    pub(super) delivery: Delivery,
    pub(super) tool: Option<ToolCall>,
    /// How the answer is split, where it is.
    pub(super) parser: Option<ParserSpec>,
    /// The name the body gives the request.
    pub(super) request_id: Option<String>,
}

/// A request whose answers are settled.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) created_unix_seconds: u64,
    pub(super) prompts: Vec<Arc<[u32]>>,
    pub(super) choices: Vec<Choice>,
    pub(super) delivery: Delivery,
    pub(super) tool: Option<ToolCall>,
    pub(super) flavour: Flavour,
    namespace: u64,
}

/// One answer and the prompt it belongs to.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) plan: Plan,
    pub(super) prompt: usize,
    /// The answer in parts, where it is split.
    pub(super) reading: Option<Reading>,
    /// How likely each token was, where that is asked for.
    pub(super) logprobs: Vec<Position>,
}

/// How far a choice came: its tokens, and why there are no more.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) tokens: usize,
    pub(super) finish: Finish,
}

/// Tokens to be accounted for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) prompt: usize,
    pub(super) completion: usize,
    pub(super) cached: usize,
}

impl Usage {
    pub(super) fn to_json(self, has_details: bool) -> Value {
        let Self {
            prompt,
            completion,
            cached,
        } = self;
        let total = prompt + completion;
        let mut usage = json!({"prompt_tokens": prompt, "total_tokens": total, "completion_tokens": completion});
        if has_details {
            usage["prompt_tokens_details"] = json!({"cached_tokens": cached});
        }
        usage
    }
}

impl Job {
    /// Settles the answers to everything asked.
    pub(super) fn new(
        config: &SimConfig,
        voice: &Voice,
        ask: Ask,
        id: String,
        model: &str,
        namespace: u64,
    ) -> Result<(Self, Box<dyn Dialect>), ApiError> {
        let limit = config.engine.max_model_tokens as usize;
        if ask.prompts.len().saturating_mul(ask.sampling.n as usize) > MOST_CHOICES {
            let message = format!("One request may have {MOST_CHOICES} answers at most.");
            return Err(ApiError::bad_request("prompt", message));
        }
        let mut job = Self {
            id,
            model: model.to_owned(),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole seconds since 1970"
            )]
            created_unix_seconds: Clock::unix_seconds() as u64,
            prompts: Vec::with_capacity(ask.prompts.len()),
            choices: Vec::new(),
            delivery: ask.delivery,
            tool: ask.tool,
            flavour: config.flavour,
            namespace,
        };
        for (place, prompt) in ask.prompts.into_iter().enumerate() {
            check_prompt(&prompt, limit, voice.vocabulary())?;
            let parser = ask.parser.as_ref();
            for number in 0..ask.sampling.n {
                let mut choice =
                    job.choice(voice, &prompt, &ask.sampling, number, limit - prompt.len());
                choice.prompt = place;
                let parser = parser.filter(|_| job.tool.is_none());
                choice.reading = parser.map(|spec| Reading::of(&mut choice.plan, spec));
                job.choices.push(choice);
            }
            job.prompts.push(prompt.into());
        }
        Ok((job, ask.dialect))
    }

    /// One answer to a prompt, not split yet.
    fn choice(
        &self,
        voice: &Voice,
        prompt: &[u32],
        sampling: &Sampling,
        number: u32,
        room: usize,
    ) -> Choice {
        let plan = match &self.tool {
            Some(tool) => Plan::tool_call(voice, &tool.tokens(voice, prompt), sampling, room),
            None => Plan::write(voice, prompt, sampling, number, room),
        };
        let asked = self.delivery.logprobs;
        let logprobs = asked.map(|asked| Position::all(voice, prompt, &plan.tokens, asked));
        Choice {
            plan,
            prompt: 0,
            reading: None,
            logprobs: logprobs.unwrap_or_default(),
        }
    }

    /// What the model has to do.
    pub(super) fn submissions(&self) -> Vec<Submission> {
        let submission = |choice: &Choice| Submission {
            prompt: Arc::clone(&self.prompts[choice.prompt]),
            output: Arc::clone(&choice.plan.tokens),
            namespace: self.namespace,
            is_cut: choice.plan.finish == Finish::Length,
        };
        self.choices.iter().map(submission).collect()
    }

    /// The account of the whole request: each prompt once, however many choices it has.
    pub(super) fn usage(
        &self,
        progress: &[Progress],
        tokens: impl Iterator<Item = usize>,
    ) -> Usage {
        let per_prompt = (self.choices.len() / self.prompts.len()).max(1);
        Usage {
            prompt: self.prompts.iter().map(|prompt| prompt.len()).sum(),
            completion: tokens.sum(),
            cached: progress
                .iter()
                .step_by(per_prompt)
                .map(|one| one.cached_tokens as usize)
                .sum(),
        }
    }
}

/// Refuses prompts that are empty, too long or of tokens that the model does not have.
pub(super) fn check_prompt(prompt: &[u32], limit: usize, vocabulary: u32) -> Result<(), ApiError> {
    if prompt.is_empty() {
        let message =
            "Either prompt or prompt_embeds must be provided and non-empty. (parameter=prompt)";
        return Err(ApiError::bad_request("prompt", message));
    }
    if let Some(token) = prompt.iter().find(|token| **token >= vocabulary) {
        return Err(ApiError::bad_request(
            "",
            format!("Token id {token} is out of vocabulary"),
        ));
    }
    let tokens = prompt.len();
    if tokens < limit {
        return Ok(());
    }
    Err(ApiError::bad_request(
        "input_tokens",
        format!(
            "This model's maximum context length is {limit} tokens. However, your prompt contains {tokens} input \
             tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input \
             prompt. (parameter=input_tokens, value={tokens})"
        ),
    ))
}
