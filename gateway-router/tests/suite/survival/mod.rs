//! Streams of tokens that survive their engines: whatever fails in the middle, the reader gets the bytes of a run in which
//! nothing did.

mod admission;
mod bounds;
mod choices;
#[cfg(feature = "text")]
mod edge;
mod faults;
mod forms;
mod hedging;
mod text;
mod wire;
mod writer;

use std::{sync::Arc, time::Duration};

use gateway_router::{
    RouteError, RouterSettings, TokenReply, TokenRequest, TokenStep,
    proto::{
        engines::{IdLogprob, TokenCall, TokenFinish},
        ir::Usage,
        openai::Api,
    },
};

use self::writer::{Fault, WritingEngine};
use crate::common::{
    rig::{self, NAMES, Rig},
    within,
};

/// The prompt of most calls.
const PROMPT: [u32; 3] = [1, 2, 3];

/// How long the router waits for the first token and for each later one, in virtual time.
const PATIENCE: Duration = Duration::from_secs(5);

/// A router over engines that write, each with the faults of its calls, one after another.
struct Fleet {
    rig: Rig,
    engines: Vec<Arc<WritingEngine>>,
}

impl Fleet {
    fn new(faults: &[&[Fault]]) -> Self {
        Self::with(faults, |_| {})
    }

    fn with(faults: &[&[Fault]], change: impl FnOnce(&mut RouterSettings)) -> Self {
        let engines = faults.iter().map(|faults| WritingEngine::new(faults));
        Self::of(engines.collect(), change)
    }

    fn of(engines: Vec<Arc<WritingEngine>>, change: impl FnOnce(&mut RouterSettings)) -> Self {
        let nowhere: Vec<_> = engines.iter().map(|_| ([127, 0, 0, 1], 9).into()).collect();
        let mut settings = rig::settings(&nowhere);
        settings.deadlines.first_byte = PATIENCE;
        settings.deadlines.idle = PATIENCE;
        change(&mut settings);
        let named = engines.clone();
        let rig = Rig::driving(settings, move |told| {
            let at = NAMES.iter().position(|name| *name == told.spec.name)?;
            Some(Arc::clone(&named[at]) as _)
        });
        Self { rig, engines }
    }

    /// The calls that the engine at `at` took.
    fn calls(&self, at: usize) -> Vec<TokenCall> {
        self.engines[at].calls()
    }

    async fn begin(&self, request: TokenRequest) -> Result<TokenReply, RouteError> {
        within(self.rig.router.generate(request)).await
    }

    /// The whole answer; the future of its begin must succeed.
    async fn answer(&self, request: TokenRequest) -> Told {
        read(self.begin(request).await.expect("it begins")).await
    }
}

fn call(max_tokens: u64) -> TokenCall {
    TokenCall::new("m", PROMPT.as_slice(), max_tokens)
}

fn request(call: TokenCall) -> TokenRequest {
    let mut request = TokenRequest::new(Api::ChatCompletions, call);
    request.request_id = "r".into();
    request
}

/// All that a reader was told.
#[derive(Debug, PartialEq)]
struct Told {
    choices: Vec<Choice>,
    end: Result<Usage, String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Choice {
    ids: Vec<u32>,
    logprobs: Vec<IdLogprob>,
    finish: Option<TokenFinish>,
}

impl Told {
    fn ids(&self) -> &[u32] {
        &self.choices[0].ids
    }

    fn error(&self) -> &str {
        self.end.as_ref().expect_err("it broke")
    }
}

/// Reads to the end; nothing may follow a choice's end, and nothing the end of all.
async fn read(mut reply: TokenReply) -> Told {
    let mut choices: Vec<Choice> = Vec::new();
    let end = loop {
        match within(reply.events.next()).await.expect("an end") {
            TokenStep::Event(event) => {
                let at = event.choice as usize;
                choices.resize(choices.len().max(at + 1), Choice::default());
                let choice = &mut choices[at];
                assert_eq!(choice.finish, None, "nothing follows an end");
                choice.ids.extend(event.ids);
                choice.logprobs.extend(event.logprobs);
                choice.finish = event.finish;
            }
            TokenStep::Done { usage } => break Ok(usage),
            TokenStep::Failed(error) => break Err(error.kind().name().to_owned()),
        }
    };
    assert!(within(reply.events.next()).await.is_none(), "one end");
    Told { choices, end }
}

/// The same request where nothing fails.
async fn undisturbed(request: TokenRequest) -> Told {
    Fleet::new(&[&[]]).answer(request).await
}

fn used(prompt_tokens: u64, completion_tokens: u64) -> Usage {
    Usage {
        prompt_tokens,
        completion_tokens,
        ..Usage::default()
    }
}
