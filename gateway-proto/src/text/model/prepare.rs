//! From a request to a prompt in token ids.

use std::borrow::Cow;
use std::sync::Arc;

use super::reader::{Reading, StopSpec};
use super::reasoning::ReasoningPlan;
use super::{Constraint, PrepareError, Reader, StrictFormat, TextModel, constraint, limits, roles};
use crate::ir::{Content, Format, Message, Part, Prompt, Request, Sampling};
use crate::text::parse::{Family, ParserSpec, ReasoningStyle, ToolSpec};
use crate::text::template::{LocalTime, Template};

/// A prompt with everything that its answer is read by.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The prompt.
    pub prompt: Arc<[u32]>,
    /// Of its tokens, those that an earlier turn had encoded.
    pub cached_tokens: usize,
    /// The prompt as text, where it is to be given back.
    pub echo: Option<String>,
    /// How to sample, defaults filled in; `max_tokens` is always set.
    pub sampling: Sampling,
    /// What the engine is to enforce from the first token on. A constraint that waits for the end of reasoning, or until
    /// it is clear that no call comes, comes with [`Verdict::Continue`](super::Verdict::Continue) instead.
    pub constraint: Option<Constraint>,
    reading: Arc<Reading>,
}

impl Prepared {
    /// Reads the answer `choice`.
    #[must_use]
    pub fn reader(&self, choice: u32) -> Reader {
        let max_tokens = self.sampling.max_tokens.unwrap_or(u64::MAX);
        let prompt = Arc::clone(&self.prompt);
        Reader::new(Arc::clone(&self.reading), prompt, max_tokens, choice)
    }

    /// The constraint that waits for the end of reasoning, or for the beginning of a text that is no call.
    #[must_use]
    pub fn later_constraint(&self) -> Option<&Constraint> {
        let later = self.reading.constraint.as_ref();
        later.filter(|_| self.reading.waits())
    }

    /// Whether the answer may have to be continued in a second request, so that each choice needs a request of its own.
    #[must_use]
    pub fn may_continue(&self) -> bool {
        self.reading.may_continue()
    }
}

impl TextModel {
    /// The prompts of a request, in their order; all but completions of several texts have one.
    ///
    /// `now` is the time that templates may print. `seed` makes the ids of tool calls; equal seeds make equal ids.
    ///
    /// # Errors
    /// Where the request is wrong for this model; nothing was sent anywhere then.
    pub fn prepare(
        &self,
        request: &Request,
        now: LocalTime,
        seed: u64,
    ) -> Result<Vec<Prepared>, PrepareError> {
        let single = |text: &str| self.prepare_text(request, text, seed);
        match &request.prompt {
            Prompt::Messages(_) => Ok(vec![self.prepare_chat(request, now, seed)?]),
            Prompt::Text(text) => Ok(vec![single(text)?]),
            Prompt::Texts(texts) => texts.iter().map(|text| single(text)).collect(),
            Prompt::TokenIds(ids) => Ok(vec![self.prepare_ids(request, ids, "prompt", seed)?]),
            Prompt::TokenIdLists(lists) => lists
                .iter()
                .enumerate()
                .map(|(at, ids)| self.prepare_ids(request, ids, &format!("prompt[{at}]"), seed))
                .collect(),
        }
    }

    /// The tokens of a request's prompts, without any bound on their length.
    ///
    /// # Errors
    /// Where the request is wrong for this model.
    pub fn tokens(&self, request: &Request, now: LocalTime) -> Result<Vec<Vec<u32>>, PrepareError> {
        match &request.prompt {
            Prompt::Messages(_) => {
                let (text, _) = self.render(request, now)?;
                Ok(vec![self.tokenizer.encode(&text, false)?])
            }
            Prompt::Text(text) => Ok(vec![self.encode_plain(request, text)?]),
            Prompt::Texts(texts) => texts
                .iter()
                .map(|text| self.encode_plain(request, text))
                .collect(),
            Prompt::TokenIds(ids) => Ok(vec![ids.clone()]),
            Prompt::TokenIdLists(lists) => Ok(lists.clone()),
        }
    }

    fn prepare_chat(
        &self,
        request: &Request,
        now: LocalTime,
        seed: u64,
    ) -> Result<Prepared, PrepareError> {
        let (text, plan) = self.render(request, now)?;
        let encoded = self.turns.encode(&text, false)?;
        let mut prepared = self.ready(request, encoded.ids, &text, Some(plan), seed)?;
        prepared.cached_tokens = encoded.cached_tokens;
        Ok(prepared)
    }

    fn prepare_text(
        &self,
        request: &Request,
        text: &str,
        seed: u64,
    ) -> Result<Prepared, PrepareError> {
        let ids = self.encode_plain(request, text)?;
        let mut prepared = self.ready(request, ids, text, None, seed)?;
        prepared.echo = request.echo.then(|| text.to_owned());
        Ok(prepared)
    }

    fn prepare_ids(
        &self,
        request: &Request,
        ids: &[u32],
        path: &str,
        seed: u64,
    ) -> Result<Prepared, PrepareError> {
        self.check_ids(ids, path)?;
        let mut prepared = self.ready(request, ids.to_vec(), "", None, seed)?;
        prepared.echo = request.echo.then(|| self.text_of(ids));
        Ok(prepared)
    }

    /// The conversation as the model's template writes it.
    fn render(
        &self,
        request: &Request,
        now: LocalTime,
    ) -> Result<(String, ReasoningPlan), PrepareError> {
        let template = self.template_for(request)?;
        refuse_media(request)?;
        let plan = ReasoningPlan::of(request, template.facts());
        let told = roles::known(plan.told(request), template.facts());
        let rendered = template.render(&told, now);
        let mut text = rendered.map_err(PrepareError::Template)?;
        if let Some(tags) = self.spec.reasoning.tags()
            && plan.is_off
            && text.trim_end().ends_with(tags.open())
        {
            text.push_str(tags.close());
            text.push_str("\n\n");
        }
        Ok((text, plan))
    }

    /// The request's own template where that is allowed, else the model's.
    fn template_for(&self, request: &Request) -> Result<Cow<'_, Template>, PrepareError> {
        let templates = self.templates.as_ref().ok_or(PrepareError::NoTemplate)?;
        let usual = templates.for_tools(request.offered_tools().next().is_some());
        match &request.template.template {
            None => Ok(Cow::Borrowed(usual)),
            Some(_) if !self.allows_request_templates => Err(PrepareError::RequestTemplate),
            Some(own) => {
                let own = Template::compile(own, usual.tokens().clone());
                Ok(Cow::Owned(own.map_err(PrepareError::Template)?))
            }
        }
    }

    fn encode_plain(&self, request: &Request, text: &str) -> Result<Vec<u32>, PrepareError> {
        let adds_special = request.extra.raw("add_special_tokens") != Some("false");
        Ok(self.tokenizer.encode(text, adds_special)?)
    }

    fn ready(
        &self,
        request: &Request,
        prompt: Vec<u32>,
        text: &str,
        plan: Option<ReasoningPlan>,
        seed: u64,
    ) -> Result<Prepared, PrepareError> {
        if prompt.is_empty() {
            return Err(PrepareError::Empty);
        }
        let mut sampling = request.sampling.clone();
        self.defaults.fill(&mut sampling);
        self.check_ids(&sampling.stop_token_ids, "stop_token_ids")?;
        self.check_bias(&sampling.logit_bias)?;
        self.check_allowed(request)?;
        let room = limits::room(
            prompt.len(),
            sampling.max_tokens,
            self.defaults.max_tokens,
            self.context_tokens,
        )?;
        sampling.max_tokens = Some(room);
        // Engines refuse more than 'max_tokens', which the context may have cut.
        sampling.min_tokens = sampling.min_tokens.map(|least| least.min(room));
        if sampling.ignore_eos != Some(true) {
            sampling.stop_token_ids.extend(&*self.ends);
        }
        let constraint = Constraint::of(request)?;
        let reading = self.reading(request, text, plan, constraint.clone(), seed)?;
        Ok(Prepared {
            prompt: prompt.into(),
            cached_tokens: 0,
            echo: None,
            sampling,
            constraint: constraint.filter(|_| !reading.waits()),
            reading: Arc::new(reading),
        })
    }

    /// How the answer to this very prompt is written: without calls where none may come, within reasoning where the
    /// prompt opened it.
    fn spec_of(&self, request: &Request, text: &str, plan: ReasoningPlan) -> ParserSpec {
        let calls_tools = request.offered_tools().next().is_some();
        let family = if calls_tools || self.spec.family == Family::Harmony {
            self.spec.family
        } else {
            Family::None
        };
        let may_call = family != Family::None && constraint::may_call(request);
        let is_formed = match &request.format {
            Format::Text => false,
            format => !(may_call && constraint::leaves_calls(format)),
        };
        let is_constrained = is_formed || request.tool_choice.is_forced();
        let reasoning = if plan.is_off && is_constrained {
            ReasoningStyle::None
        } else {
            self.spec.reasoning.after_prompt(text)
        };
        ParserSpec {
            family,
            reasoning,
            tools: typed_tools(family, request),
        }
    }

    /// How the answer to a prompt is read.
    fn reading(
        &self,
        request: &Request,
        text: &str,
        plan: Option<ReasoningPlan>,
        constraint: Option<Constraint>,
        seed: u64,
    ) -> Result<Reading, PrepareError> {
        let spec = match plan {
            Some(plan) => self.spec_of(request, text, plan),
            None => ParserSpec::default(),
        };
        let min_tokens = request.sampling.min_tokens.unwrap_or(0);
        let stops = StopSpec::new(&request.stops, &self.stops, request.keep_stop, min_tokens)?;
        let none = || Arc::from([]);
        Ok(Reading {
            tokenizer: Arc::clone(&self.tokenizer),
            may_call: spec.family != Family::None && constraint::may_call(request),
            spec,
            constraint,
            strict: StrictFormat::of(request)?,
            budget: plan.and_then(|plan| plan.budget),
            stops,
            closings: self.closings.clone(),
            ends: self.ends.clone(),
            stop_token_ids: request.sampling.stop_token_ids.clone(),
            takes_one_call: request.parallel_tool_calls == Some(false),
            ignores_end: request.sampling.ignore_eos == Some(true),
            wants_ids: request.return_token_ids,
            kept: plan.map_or_else(none, |_| Arc::clone(&self.kept)),
            min_tokens,
            seed,
        })
    }
}

/// The tools of a request, for families that write values without their types; others have no use for schemas.
fn typed_tools(family: Family, request: &Request) -> Arc<[ToolSpec]> {
    if family == Family::None || family.has_json_arguments() {
        return Arc::from([]);
    }
    ToolSpec::of_tools(request.offered_tools())
}

/// Tokens cannot stand for images, sounds and files.
fn refuse_media(request: &Request) -> Result<(), PrepareError> {
    let Prompt::Messages(messages) = &request.prompt else {
        return Ok(());
    };
    for (at, message) in messages.iter().enumerate() {
        if let Some((part, kind)) = first_medium(message) {
            return Err(PrepareError::Media {
                path: format!("messages[{at}].content[{part}]"),
                kind,
            });
        }
    }
    Ok(())
}

fn first_medium(message: &Message) -> Option<(usize, String)> {
    let Some(Content::Parts(parts)) = &message.content else {
        return None;
    };
    parts.iter().enumerate().find_map(|(at, part)| match part {
        Part::Other(fields) => {
            let kind = fields.raw("type").unwrap_or("\"unknown\"");
            Some((at, kind.trim_matches('"').to_owned()))
        }
        Part::Text { .. } => None,
    })
}
