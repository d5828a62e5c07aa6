//! Ids in, ids out.

use std::{future::poll_fn, sync::Arc};

use futures_util::future::{BoxFuture, Either, select};
use gateway_router::{
    Deadlines, EngineKind, ErrorKind, RouteError,
    engine::{BoxTokens, EngineClient, Flow, GenerateCall},
    proto::{
        engines::{TokenCall, TokenEvent, TokenFinish},
        ir::{LogprobsAsked, Usage},
    },
};
use gateway_sim::engine::{FaultKind, FaultSpec};
use http::HeaderMap;

use super::{Pair, freed, pair_with, pairs, polled_until, slow_pairs};
use crate::common::within;

pub(super) fn call(prompt: &[u32], max_tokens: u64) -> GenerateCall {
    of(TokenCall::new("m", prompt, max_tokens))
}

fn of(call: TokenCall) -> GenerateCall {
    GenerateCall {
        call: Arc::new(call),
        headers: HeaderMap::new(),
        deadlines: Deadlines::default(),
        edit: None,
        event_bytes: 1 << 20,
    }
}

/// The first events of a stream.
async fn first(stream: &mut BoxTokens) -> Vec<TokenEvent> {
    let mut out = Vec::new();
    let more = within(poll_fn(|cx| stream.as_mut().poll_more(cx, &mut out))).await;
    more.expect("events");
    out
}

/// An answer under way; dropped, it is not wanted any more.
#[expect(dead_code, reason = "held, not looked at")]
pub(super) enum UnderWay<'p> {
    /// Its first tokens are there.
    Stream(BoxTokens),
    /// It comes whole, and the engine is at it.
    Whole(BoxFuture<'p, Result<BoxTokens, RouteError>>),
}

pub(super) async fn begin(pair: &Pair, call: GenerateCall) -> UnderWay<'_> {
    let asked = pair.client.generate(call);
    if pair.kind != EngineKind::LlamaCpp {
        let mut stream = within(asked).await.expect("begins");
        first(&mut stream).await;
        return UnderWay::Stream(stream);
    }
    let is_at_it = Box::pin(polled_until(|| pair.engine.stats().running == 1));
    match within(select(asked, is_at_it)).await {
        Either::Left((answer, _)) => UnderWay::Stream(answer.expect("begins")),
        Either::Right(((), asked)) => UnderWay::Whole(asked),
    }
}

struct Answer {
    events: Vec<TokenEvent>,
    end: Result<(), RouteError>,
    usage: Option<Usage>,
}

impl Answer {
    fn ids(&self) -> Vec<u32> {
        let ids = self.events.iter().flat_map(|event| &event.ids);
        ids.copied().collect()
    }

    fn finish(&self) -> Option<&TokenFinish> {
        self.events.last()?.finish.as_ref()
    }
}

async fn read(mut stream: BoxTokens) -> Answer {
    let mut events = Vec::new();
    let end = loop {
        let more = poll_fn(|cx| stream.as_mut().poll_more(cx, &mut events));
        match within(more).await {
            Ok(Flow::More) => {}
            Ok(Flow::Done) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let usage = stream.usage();
    if end.is_ok() {
        within(poll_fn(|cx| stream.as_mut().poll_rest(cx))).await;
    }
    Answer { events, end, usage }
}

async fn generate(pair: &Pair, call: GenerateCall) -> Answer {
    let stream = within(pair.client.generate(call)).await;
    read(stream.unwrap_or_else(|error| panic!("{:?}: {error}", pair.kind))).await
}

fn takes_ids(pair: &Pair) -> bool {
    pair.kind != EngineKind::Tgi
}

/// The same prompt has the same answer, whatever the wire it travels on.
#[tokio::test]
async fn all_wires_carry_the_same_answer() {
    let mut answers = Vec::new();
    for pair in pairs().await.iter().filter(|pair| takes_ids(pair)) {
        let answer = generate(pair, call(&[11, 12, 13], 5)).await;
        answer.end.as_ref().expect("well");
        let usage = answer.usage.expect("counted");
        let (ids, kind) = (answer.ids(), pair.kind);
        assert_eq!(usage.prompt_tokens, 3, "{kind:?}");
        assert_eq!(usage.completion_tokens, ids.len() as u64, "{kind:?}");
        let at_limit = ids.len() == 5;
        let at_end = matches!(answer.finish(), Some(TokenFinish::Stop { token: None }));
        assert!(at_limit || at_end, "{kind:?}: {:?}", answer.finish());
        answers.push((kind, ids, answer.finish().cloned()));
    }
    let incremental = pair_with(EngineKind::Sglang, |config| {
        config.incremental_streams = true
    });
    let answer = generate(&incremental.await, call(&[11, 12, 13], 5)).await;
    answers.push((EngineKind::Sglang, answer.ids(), answer.finish().cloned()));
    for (kind, ids, finish) in &answers[1..] {
        assert_eq!((ids, finish), (&answers[0].1, &answers[0].2), "{kind:?}");
    }
}

#[tokio::test]
async fn tokens_for_an_engine_that_takes_none_are_refused_before_it_is_asked() {
    for pair in pairs().await.into_iter().filter(|pair| !takes_ids(pair)) {
        let refused = within(pair.client.generate(call(&[1], 5))).await;
        let error = refused.map(drop).expect_err("text only");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_api().message.contains("text mode"), "{error}");
        assert_eq!(pair.engine.stats().connections, 0);
    }
}

#[tokio::test]
async fn a_stop_token_ends_the_answer_whether_the_engine_knows_of_it_or_not() {
    for pair in pairs().await.iter().filter(|pair| takes_ids(pair)) {
        let whole = generate(pair, call(&[11, 12, 13], 4)).await.ids();
        let stop = whole[1];
        let mut asked = TokenCall::new("m", [11, 12, 13], 4);
        asked.sampling.stop_token_ids = vec![stop];
        let answer = generate(pair, of(asked)).await;
        answer.end.as_ref().expect("well");
        let finish = Some(&TokenFinish::Stop { token: Some(stop) });
        assert_eq!(answer.finish(), finish, "{:?}", pair.kind);
        let upto = whole
            .iter()
            .position(|id| *id == stop)
            .expect("it is there");
        let ids = answer.ids();
        assert!(
            ids == whole[..=upto] || ids == whole[..upto],
            "{:?}: {ids:?}",
            pair.kind
        );
    }
}

#[tokio::test]
async fn what_the_cache_had_is_told_where_the_wire_tells_it() {
    let prompt: Vec<u32> = (0..129).collect();
    for pair in pairs().await.iter().filter(|pair| takes_ids(pair)) {
        let mut told = Vec::new();
        for _ in 0..2 {
            let answer = generate(pair, call(&prompt, 1)).await;
            told.push(answer.usage.expect("counted").cached_tokens);
        }
        let expected = match pair.kind {
            EngineKind::Mindie => [None, None],
            _ => [Some(0), Some(128)],
        };
        assert_eq!(told, expected, "{:?}", pair.kind);
    }
}

#[tokio::test]
async fn log_probabilities_belong_to_their_ids() {
    for pair in pairs().await.iter().filter(|pair| takes_ids(pair)) {
        let mut asked = TokenCall::new("m", [11, 12, 13], 4);
        asked.logprobs = Some(LogprobsAsked { top: 0 });
        if pair.kind == EngineKind::Mindie {
            let refused = within(pair.client.generate(of(asked))).await;
            let error = refused.map(drop).expect_err("no word for it");
            assert_eq!(error.to_api().param.as_deref(), Some("logprobs"));
            continue;
        }
        let answer = generate(pair, of(asked)).await;
        let told = answer.events.iter().flat_map(|event| &event.logprobs);
        let told: Vec<u32> = told.map(|told| told.id).collect();
        assert_eq!(told, answer.ids(), "{:?}", pair.kind);
    }
}

#[tokio::test]
async fn a_dropped_stream_frees_the_request() {
    for pair in slow_pairs().await.iter().filter(|pair| takes_ids(pair)) {
        drop(begin(pair, call(&[11, 12, 13], 400)).await);
        freed(pair).await;
    }
}

/// An engine that fails in the middle: under a polite 200, by giving up, by breaking off. Whole answers have none.
#[tokio::test]
async fn failures_in_the_middle_are_told_from_ends() {
    for fault in [
        FaultKind::ErrorChunk,
        FaultKind::AbortStream,
        FaultKind::DropStream,
        FaultKind::MalformedSse,
    ] {
        let streams = |pair: &&Pair| takes_ids(pair) && pair.kind != EngineKind::LlamaCpp;
        for pair in pairs().await.iter().filter(streams) {
            pair.engine.inject(FaultSpec::new(fault).after_chunks(2));
            let answer = generate(pair, call(&[11, 12, 13], 400)).await;
            let shown = (pair.kind, fault);
            let Err(error) = answer.end else {
                panic!("{shown:?}: {:?}", answer.events);
            };
            let kinds = [ErrorKind::EngineFailed, ErrorKind::Broken];
            assert!(kinds.contains(&error.kind()), "{shown:?}: {error}");
            assert!(
                answer.events.iter().all(|event| event.finish.is_none()),
                "{shown:?}"
            );
        }
    }
}

#[tokio::test]
async fn refusals_are_final_and_trouble_is_not() {
    for pair in pairs().await.iter().filter(|pair| takes_ids(pair)) {
        let long: Vec<u32> = vec![7; 200_000];
        let refused = within(pair.client.generate(call(&long, 5))).await;
        let error = refused.map(drop).expect_err("longer than the context");
        assert_eq!(
            error.kind(),
            ErrorKind::Rejected,
            "{:?}: {error}",
            pair.kind
        );
        pair.engine
            .inject(FaultSpec::new(FaultKind::Busy503).times(1));
        let refused = within(pair.client.generate(call(&[1], 5))).await;
        let error = refused.map(drop).expect_err("busy");
        assert_eq!(error.kind(), ErrorKind::Busy, "{:?}: {error}", pair.kind);
        let answer = generate(pair, call(&[1], 5)).await;
        answer.end.expect("well again");
    }
}
