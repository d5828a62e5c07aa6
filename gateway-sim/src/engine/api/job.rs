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
use crate::engine::config::SimConfig;
use crate::engine::error::ApiError;
use crate::engine::flavour::Flavour;
use crate::engine::rank::Submission;
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

/// Who asks, and of what.
#[derive(Debug)]
pub(super) struct Caller {
    /// The request's name, as replies carry it.
    pub(super) id: String,
    /// The model's name, as replies carry it.
    pub(super) model: String,
    /// The part of the cache it may use.
    pub(super) namespace: u64,
    /// The data-parallel rank asked for.
    pub(super) rank: Option<usize>,
}

/// A request whose answers are settled.
#[derive(Debug)]
pub(in crate::engine) struct Job {
    pub(in crate::engine) id: String,
    pub(super) model: String,
    pub(super) created_unix_seconds: u64,
    pub(in crate::engine) prompts: Vec<Arc<[u32]>>,
    pub(super) choices: Vec<Choice>,
    pub(super) delivery: Delivery,
    pub(super) tool: Option<ToolCall>,
    pub(super) flavour: Flavour,
    /// The data-parallel rank it is for.
    pub(in crate::engine) rank: Option<usize>,
    /// What the answer tells of the KV that is kept for another engine.
    pub(in crate::engine) handoff: Value,
    sampling: Sampling,
    parser: Option<ParserSpec>,
    /// Tokens of prompt and answer together.
    limit: usize,
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
        caller: Caller,
    ) -> Result<(Self, Box<dyn Dialect>), ApiError> {
        if ask.prompts.len().saturating_mul(ask.sampling.n as usize) > MOST_CHOICES {
            let message = format!("One request may have {MOST_CHOICES} answers at most.");
            return Err(ApiError::bad_request("prompt", message));
        }
        let mut job = Self {
            id: caller.id,
            model: caller.model,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole seconds since 1970"
            )]
            created_unix_seconds: Clock::unix_seconds() as u64,
            prompts: ask.prompts.into_iter().map(Arc::from).collect(),
            choices: Vec::new(),
            delivery: ask.delivery,
            tool: ask.tool,
            flavour: config.flavour,
            rank: caller.rank,
            handoff: Value::Null,
            sampling: ask.sampling,
            parser: ask.parser,
            limit: config.engine.max_model_tokens as usize,
            namespace: caller.namespace,
        };
        for prompt in &job.prompts {
            check_prompt(prompt, job.limit, voice.vocabulary())?;
        }
        job.settle(voice);
        Ok((job, ask.dialect))
    }

    /// Settles the answers to all prompts.
    fn settle(&mut self, voice: &Voice) {
        let mut choices = Vec::new();
        for (place, prompt) in self.prompts.iter().enumerate() {
            for number in 0..self.sampling.n {
                let mut choice = self.choice(voice, prompt, number);
                choice.prompt = place;
                let parser = self.parser.as_ref().filter(|_| self.tool.is_none());
                choice.reading = parser.map(|spec| Reading::of(&mut choice.plan, spec));
                choices.push(choice);
            }
        }
        self.choices = choices;
    }

    /// Settles other answers, as an engine gives that reads the KV of something else.
    pub(in crate::engine) fn spoil(&mut self, voice: &Voice) {
        self.sampling.is_spoilt = true;
        self.tool = None;
        self.settle(voice);
    }

    /// One answer to a prompt, not split yet.
    fn choice(&self, voice: &Voice, prompt: &[u32], number: u32) -> Choice {
        let (sampling, room) = (&self.sampling, self.limit - prompt.len());
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

    /// The first token of the first answer.
    pub(in crate::engine) fn first_token(&self) -> Option<u32> {
        self.choices.first()?.plan.tokens.first().copied()
    }

    /// What the model has to do.
    pub(in crate::engine) fn submissions(&self) -> Vec<Submission> {
        let submission = |choice: &Choice| Submission {
            prompt: Arc::clone(&self.prompts[choice.prompt]),
            output: Arc::clone(&choice.plan.tokens),
            namespace: self.namespace,
            is_cut: choice.plan.finish == Finish::Length,
            brought_tokens: 0,
            kept_as: None,
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
    Err(ApiError::TooLong { tokens, limit })
}
