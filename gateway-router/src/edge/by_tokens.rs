//! Token ids to the engine, token ids from it.

use std::sync::Arc;

use futures_util::future::try_join_all;
use gateway_core::hash;
use gateway_proto::{
    error::ApiError,
    text::model::{Prepared, TextModel},
};
use tokio::{sync::Semaphore, task};

use super::{AnswerEvents, AnswerReply, Ask, strand::Strand};
use crate::{ErrorKind, Retry, RouteError, Router};

/// Prompts above this many bytes of text are rendered and encoded off the thread that serves connections.
const LONG_PROMPT_BYTES: usize = 32 << 10;

/// Long prompts that are encoded at a time; further ones wait their turn.
static LONG_PROMPTS: Semaphore = Semaphore::const_new(16);

pub(super) async fn answer(
    router: &Router,
    ask: Ask,
    model: Arc<TextModel>,
) -> Result<AnswerReply, RouteError> {
    let prepared = prepare(&ask, model).await?;
    let choices = ask.request.sampling.n.unwrap_or(1).max(1);
    let strands = strands(&ask, &prepared, choices);
    let begun = strands.into_iter().map(|strand| strand.begin(router));
    let mut begun = try_join_all(begun).await?;
    let prompt_tokens = prepared.iter().map(|one| one.prompt.len() as u64).sum();
    let first = begun.first_mut().expect("every request has a prompt");
    Ok(AnswerReply {
        endpoint: Arc::clone(&first.endpoint),
        explanation: first.explanation.take(),
        head: ask.head(Some(prompt_tokens)),
        echo: prepared.iter().filter_map(|one| one.echo.clone()).collect(),
        events: AnswerEvents::of_strands(
            router.clone(),
            begun.into_iter().map(|begun| begun.strand).collect(),
            prompt_tokens,
        ),
    })
}

async fn prepare(ask: &Ask, model: Arc<TextModel>) -> Result<Vec<Prepared>, RouteError> {
    let request = Arc::clone(&ask.request);
    let (now, seed) = (ask.now, hash::seed(&[ask.request_id.as_bytes()]));
    let prepare = move || model.prepare(&request, now, seed);
    let prepared = if ask.request.prompt_bytes() < LONG_PROMPT_BYTES {
        prepare()
    } else {
        let _turn = LONG_PROMPTS.acquire().await;
        let encoded = task::spawn_blocking(prepare).await;
        encoded.map_err(|_| internal())?
    };
    prepared.map_err(|error| RouteError::new(ErrorKind::BadRequest, Retry::Never, error.to_api()))
}

fn internal() -> RouteError {
    RouteError::new(ErrorKind::Internal, Retry::Never, ApiError::internal())
}

/// One call for each prompt, or for each choice where a choice may have to be continued by itself.
fn strands(ask: &Ask, prepared: &[Prepared], choices: u32) -> Vec<Strand> {
    let mut strands = Vec::with_capacity(prepared.len());
    let mut first = 0;
    for one in prepared {
        let (calls, each) = if one.may_continue() {
            (choices, 1)
        } else {
            (1, choices)
        };
        for call in 0..calls {
            strands.push(Strand::new(ask, one, first + call * each, each, call));
        }
        first += choices;
    }
    strands
}
