//! What engines write: each token depends on all before it, so that only a call which goes on from the right place writes
//! what the first would have.

use gateway_router::proto::{
    engines::{TokenCall, TokenFinish},
    ir::Format,
};

/// The token that ends an answer before its length does.
const END: u32 = 2;

/// One choice as far as it is written.
pub(crate) struct Text {
    seed: i64,
    ids: Vec<u32>,
    written: u64,
    max_tokens: u64,
    min_tokens: u64,
    /// Grammars begin with the call: what is written is not what it would be had it begun before.
    has_form: bool,
    pub(crate) is_over: bool,
}

impl Text {
    pub(crate) fn of(call: &TokenCall, choice: u32) -> Self {
        let seed = call.sampling.seed.unwrap_or_default();
        Self {
            seed: seed.wrapping_add(i64::from(choice)),
            ids: call.prompt.to_vec(),
            written: 0,
            max_tokens: call.max_tokens,
            min_tokens: call.sampling.min_tokens.unwrap_or(0),
            has_form: call.format != Format::Text,
            is_over: false,
        }
    }

    /// The next token, and how the choice ends with it.
    pub(crate) fn next(&mut self) -> (u32, Option<TokenFinish>) {
        let hash = self.hash();
        let may_end = self.written >= self.min_tokens;
        let id = if may_end && hash.is_multiple_of(31) {
            END
        } else {
            10 + (hash % 900) as u32
        };
        self.ids.push(id);
        self.written += 1;
        let finish = if id == END {
            Some(TokenFinish::Stop { token: None })
        } else {
            (self.written >= self.max_tokens).then_some(TokenFinish::Length)
        };
        self.is_over = finish.is_some();
        (id, finish)
    }

    fn hash(&self) -> u64 {
        let begin = if self.has_form { self.written } else { 0 };
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ self.seed.unsigned_abs() ^ (begin << 40);
        for id in &self.ids {
            hash = (hash ^ u64::from(*id)).wrapping_mul(0x0100_0000_01b3);
        }
        hash ^ (hash >> 29)
    }
}

/// The choices of a call that nothing disturbs, with their ends.
pub(crate) fn undisturbed(call: &TokenCall) -> Vec<(Vec<u32>, TokenFinish)> {
    (0..call.choices())
        .map(|choice| {
            let mut text = Text::of(call, choice);
            let mut ids = Vec::new();
            loop {
                let (id, finish) = text.next();
                ids.push(id);
                if let Some(finish) = finish {
                    return (ids, finish);
                }
            }
        })
        .collect()
}
