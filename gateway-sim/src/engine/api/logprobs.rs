//! Made-up log probabilities.

use std::sync::Arc;

use gateway_core::hash;
use serde_json::{Map, Value, json};

use super::fields::Fields;
use crate::engine::error::ApiError;
use crate::text::Voice;

/// The most alternatives of a token.
const MOST_TOP: usize = 20;

/// What a request wants to know of its answer's tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Alternatives, the token itself among them.
    pub(super) top: usize,
    /// Tokens are named by their number instead of their text.
    pub(super) by_id: bool,
}

impl Asked {
    /// Of a dialect that names the number of alternatives in `field`.
    pub(super) fn read(fields: Fields<'_>, field: &str) -> Result<Option<Self>, ApiError> {
        let Some(top) = fields.integer(field)? else {
            return Ok(None);
        };
        let top = usize::try_from(top).ok().filter(|top| *top <= MOST_TOP);
        let top = top.ok_or_else(|| {
            ApiError::bad_request(field, format!("{field} must be between 0 and {MOST_TOP}"))
        })?;
        Ok(Some(Self {
            top,
            by_id: fields.boolean("return_tokens_as_token_ids")?,
        }))
    }
}

/// A token and how likely it was.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Likely {
    pub(super) id: u32,
    pub(super) logprob: f64,
    name: Arc<str>,
    bytes: Vec<u8>,
}

/// One token of an answer and its alternatives, the likeliest first: the token itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Position {
    ranked: Vec<Likely>,
}

impl Position {
    /// What the tokens of an answer are given; each follows from the token and the one before it.
    pub(super) fn all(voice: &Voice, prompt: &[u32], tokens: &[u32], asked: Asked) -> Vec<Self> {
        let before = prompt.last().into_iter().chain(tokens);
        let pairs = tokens.iter().zip(before);
        pairs
            .map(|(token, before)| Self::of(voice, *token, *before, asked))
            .collect()
    }

    fn of(voice: &Voice, token: u32, before: u32, asked: Asked) -> Self {
        let mut draw = hash::seed(&[&before.to_le_bytes(), &token.to_le_bytes()]);
        let mut logprob = -unit(draw) / 2.0;
        let mut ranked = vec![Likely::new(voice, token, logprob, asked)];
        while ranked.len() < asked.top.max(1) {
            draw = hash::seed(&[&draw.to_le_bytes()]);
            let mut id = u32::try_from(draw % u64::from(voice.vocabulary())).unwrap_or(0);
            while ranked.iter().any(|other| other.id == id) {
                id = (id + 1) % voice.vocabulary();
            }
            logprob -= 0.5 + unit(draw);
            ranked.push(Likely::new(voice, id, logprob, asked));
        }
        Self { ranked }
    }

    pub(super) fn token(&self) -> &Likely {
        &self.ranked[0]
    }

    /// The alternatives that were asked for.
    pub(super) fn top(&self, asked: Asked) -> &[Likely] {
        &self.ranked[..asked.top.min(self.ranked.len())]
    }
}

impl Likely {
    fn new(voice: &Voice, id: u32, logprob: f64, asked: Asked) -> Self {
        let text = voice.decode(&[id]);
        Self {
            id,
            logprob,
            bytes: text.clone().into_bytes(),
            name: match asked.by_id {
                true => format!("token_id:{id}").into(),
                false => text.into(),
            },
        }
    }

    fn to_json(&self) -> Value {
        json!({"token": &*self.name, "logprob": self.logprob, "bytes": self.bytes})
    }

    fn to_json_by_id(&self) -> Value {
        json!({"token": format!("token_id:{}", self.id), "token_id": self.id, "logprob": self.logprob})
    }
}

/// As chats have them.
pub(super) fn of_chat(positions: &[Position], asked: Asked) -> Value {
    let content = positions.iter().map(|position| {
        let mut entry = position.token().to_json();
        entry["top_logprobs"] = position.top(asked).iter().map(Likely::to_json).collect();
        entry
    });
    json!({"content": content.collect::<Vec<_>>()})
}

/// As the route of tokens has them.
pub(super) fn of_tokens(positions: &[Position], asked: Asked) -> Value {
    let content = positions.iter().map(|position| {
        let mut entry = position.token().to_json_by_id();
        let top = position.top(asked).iter();
        entry["top_logprobs"] = top.map(Likely::to_json_by_id).collect();
        entry
    });
    json!({"content": content.collect::<Vec<_>>()})
}

/// As completions have them; `offset` is where the first token's text begins, in bytes.
pub(super) fn of_completion(positions: &[Position], asked: Asked, offset: usize) -> Value {
    let mut at = offset;
    let offsets = positions.iter().map(|position| {
        let here = at;
        at += position.token().bytes.len();
        here
    });
    let offsets: Vec<usize> = offsets.collect();
    let tops = positions.iter().map(|position| {
        let top = position.top(asked).iter();
        top.map(|likely| (likely.name.to_string(), json!(likely.logprob)))
            .collect::<Map<_, _>>()
    });
    json!({
        "text_offset": offsets,
        "token_logprobs": positions.iter().map(|position| position.token().logprob).collect::<Vec<_>>(),
        "tokens": positions.iter().map(|position| &*position.token().name).collect::<Vec<_>>(),
        "top_logprobs": tops.collect::<Vec<_>>(),
    })
}

/// From 0 up to 1, by the upper bits.
#[expect(clippy::cast_precision_loss, reason = "ten bits")]
fn unit(draw: u64) -> f64 {
    (draw >> 54) as f64 / 1_024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likelihoods_fall_and_repeat_wherever_the_answer_is_cut() {
        let asked = Asked {
            top: 5,
            by_id: true,
        };
        let whole = Position::all(&Voice::Plain, &[900], &[901, 902, 903], asked);
        let rest = Position::all(&Voice::Plain, &[900, 901], &[902, 903], asked);
        assert_eq!(whole[1..], rest);
        for position in &whole {
            let top = position.top(asked);
            assert_eq!((top.len(), &top[0]), (5, position.token()));
            assert!(top.windows(2).all(|pair| pair[0].logprob > pair[1].logprob));
            assert!(top.iter().all(|likely| likely.logprob <= 0.0));
        }
    }
}
