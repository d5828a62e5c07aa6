//! What is known of a stream's choices while it is read.

use serde_json::Value;

use super::{IdLogprob, TokenCall, TokenEvent, TokenFault, TokenFinish};
use crate::ir::{MOST_CHOICES, Usage};

pub(super) struct Choices {
    states: Vec<State>,
    usage: Option<Usage>,
    stop_token_ids: Vec<u32>,
    /// Whether a choice ends here, at a stop token, because the engine cannot be told to.
    stops_here: bool,
    top: usize,
    prompt_tokens: u64,
}

#[derive(Clone, Copy, Default)]
struct State {
    seen: usize,
    finished: bool,
}

impl Choices {
    pub(super) fn of(call: &TokenCall, stops_here: bool) -> Self {
        Self {
            states: vec![State::default(); call.choices().min(MOST_CHOICES) as usize],
            usage: None,
            stop_token_ids: call.sampling.stop_token_ids.clone(),
            stops_here,
            top: call.logprobs.map_or(0, |asked| asked.top as usize),
            prompt_tokens: call.prompt.len() as u64,
        }
    }

    /// How many of the likeliest tokens are wanted per position.
    pub(super) fn top(&self) -> usize {
        self.top
    }

    pub(super) fn prompt_tokens(&self) -> u64 {
        self.prompt_tokens
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The latest usage counts.
    pub(super) fn note_usage(&mut self, usage: Option<Usage>) {
        self.usage = usage.or(self.usage);
    }

    /// Tokens of one choice so far; `None` for a number that nobody asked for.
    pub(super) fn seen(&self, choice: u32) -> Option<usize> {
        self.states.get(choice as usize).map(|state| state.seen)
    }

    /// Tokens of all choices so far.
    pub(super) fn counted(&self) -> u64 {
        self.states.iter().map(|state| state.seen as u64).sum()
    }

    pub(super) fn all_finished(&self) -> bool {
        self.states.iter().all(|state| state.finished)
    }

    /// Takes in what is new of a choice. What comes after its end is of no interest.
    pub(super) fn add(
        &mut self,
        mut event: TokenEvent,
        out: &mut Vec<TokenEvent>,
    ) -> Result<(), TokenFault> {
        if self.stops_here {
            self.cut(&mut event);
        }
        let state = self
            .states
            .get_mut(event.choice as usize)
            .ok_or(TokenFault::Malformed)?;
        if state.finished || (event.ids.is_empty() && event.finish.is_none()) {
            return Ok(());
        }
        state.seen += event.ids.len();
        state.finished = event.finish.is_some();
        if let Some(TokenFinish::Stop { token }) = &mut event.finish {
            *token = token.filter(|id| self.stop_token_ids.contains(id));
        }
        if event.logprobs.len() != event.ids.len() {
            event.logprobs.clear();
        }
        out.push(event);
        Ok(())
    }

    /// Ends the event with its first stop token.
    fn cut(&self, event: &mut TokenEvent) {
        let is_stop = |id: &u32| self.stop_token_ids.contains(id);
        let Some(at) = event.ids.iter().position(is_stop) else {
            return;
        };
        let token = Some(event.ids[at]);
        event.ids.truncate(at + 1);
        event.logprobs.truncate(at + 1);
        event.finish = Some(TokenFinish::Stop { token });
    }
}

/// An ending in the engines' words; the two that are none are faults.
pub(super) fn finish_of(
    word: Option<String>,
    token: Option<u32>,
) -> Result<Option<TokenFinish>, TokenFault> {
    let Some(word) = word else { return Ok(None) };
    match word.as_str() {
        "stop" | "eos_token" | "stop_sequence" => Ok(Some(TokenFinish::Stop { token })),
        "length" => Ok(Some(TokenFinish::Length)),
        "abort" | "error" => Err(TokenFault::Aborted),
        _ => Ok(Some(TokenFinish::Other(word))),
    }
}

/// The same with vLLM's `stop_reason` beside it, which is more than the token that ended the choice.
pub(super) fn finish_for(
    word: Option<String>,
    reason: Option<&Value>,
) -> Result<Option<TokenFinish>, TokenFault> {
    if reason.and_then(Value::as_str) == Some("recomputed") {
        return Ok(Some(TokenFinish::Recomputed));
    }
    finish_of(word, token(reason))
}

/// A stop reason that is a token id; texts and nothing are none.
pub(super) fn token(reason: Option<&Value>) -> Option<u32> {
    u32::try_from(reason?.as_u64()?).ok()
}

/// Log probabilities of positions, where there are any.
pub(super) fn logprobs_of<P>(
    positions: Option<Vec<P>>,
    read: impl Fn(P) -> IdLogprob,
) -> Vec<IdLogprob> {
    positions
        .unwrap_or_default()
        .into_iter()
        .map(read)
        .collect()
}
