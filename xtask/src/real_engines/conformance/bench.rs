//! The running servers and the order of the checks.

use anyhow::Result;
use serde_json::json;

use super::super::checks::answers;
use super::super::gateway::{self, Gateway};
use super::super::run::Bed;
use super::super::talk::Sides;
use super::super::vllm::{CONTEXT_TOKENS, Engine};
use super::super::{BY_TOKENS, MODEL};
use super::subject::Subject;
use super::{abort, across, errors, ids, state, usage};
use crate::tally::Tally;

/// An engine behind the gateway.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) gateway: Gateway,
    pub(super) subject: Subject,
}

type Check = fn(&Bench) -> Result<String>;

const CHECKS: [(&str, Check); 16] = [
    ("what it is, is found", state::detected),
    ("chat as from the engine", |bench| {
        answers::chat(&bench.sides())
    }),
    ("chat stream as from the engine", |bench| {
        answers::chat_stream(&bench.sides())
    }),
    ("completions as from the engine", |bench| {
        answers::completions(&bench.sides())
    }),
    ("completions stream as from the engine", |bench| {
        answers::completions_stream(&bench.sides())
    }),
    ("chat by tokens as from the engine", ids::chat),
    ("chat stream by tokens as the whole answer", ids::streamed),
    ("greedy prompts of ids as from the engine", ids::prompts),
    ("a cache hit changes no answer", usage::repeated),
    ("usage is told", usage::counted),
    ("a prompt too long is the caller's fault", errors::too_long),
    ("the engine's insides stay inside", errors::malformed),
    (
        "tokens that no vocabulary has stop at the gateway",
        errors::poisonous,
    ),
    ("a closed stream frees its request", abort::by_text),
    (
        "a closed stream by tokens frees its request",
        abort::by_tokens,
    ),
    ("load is read", state::loaded),
];

impl Bench {
    /// Puts the gateway, which is told the engine's address alone, in front of it.
    pub(super) fn start(subject: Subject, bed: &Bed<'_>) -> Result<Self> {
        let tokens = json!({ "files": bed.vllm.model, "context_tokens": CONTEXT_TOKENS });
        let config = json!({
            "models": [{ "name": MODEL }, { "name": BY_TOKENS, "tokens": tokens }],
            "endpoints": [{
                "name": subject.kind.name,
                "url": subject.url,
                "models": [MODEL, BY_TOKENS],
            }],
        });
        let gateway = gateway::start(bed.binary, config, bed.logs)?;
        Ok(Self { gateway, subject })
    }

    /// Every check in turn; `beside` is an engine of another kind with the same model. The last one takes the engine down.
    pub(super) fn run(mut self, beside: Option<&Engine>, tally: &mut Tally) {
        let kind = self.subject.kind.name;
        for (name, check) in CHECKS {
            tally.record(&format!("{kind}: {name}"), check(&self));
        }
        if let Some(engine) = beside {
            let equal = across::check(&self, engine);
            tally.record(&format!("{kind}: greedy answers are vLLM's own"), equal);
        }
        let noticed = state::lost(&mut self);
        tally.record(&format!("{kind}: its loss is noticed"), noticed);
    }

    /// The engine, and the gateway in front of it.
    pub(super) fn sides(&self) -> Sides {
        Sides {
            direct: self.subject.peer(),
            through: self.gateway.peer.clone(),
        }
    }
}
