//! Token ids to the engine, token ids from it.

use std::sync::Arc;

use super::{
    AnswerEvents, AnswerReply, Ask, EdgeReport, Preparation,
    refuse::{bad_request, choices},
    report::Telling,
    strand::{Place, Strand},
    strands::Strands,
    turns::in_turn,
};
use crate::{RouteError, Router};
use futures_util::future::try_join_all;
use gateway_core::hash;
use gateway_proto::{
    engines::Wishes,
    openai::{ReplyOptions, completions},
    text::model::{Prepared, TextModel},
};

pub(super) async fn answer(
    router: &Router,
    ask: Ask,
    model: Arc<TextModel>,
) -> Result<AnswerReply, RouteError> {
    let choices = choices(&ask.request)?;
    let wishes = Wishes::of(&ask.request).map_err(|error| bad_request(error.to_api()))?;
    let began = router.clock().now();
    let parser = model.parser().family.name();
    let prepared = prepare(&ask, model).await?;
    let preparation = Preparation {
        prompt_tokens: total(&prepared, |one| one.prompt.len()),
        kept_tokens: total(&prepared, |one| one.cached_tokens),
        took: router.clock().now().since(began),
    };
    let report = EdgeReport::by_tokens(&ask, parser, &preparation);
    let telling = Telling::new(report, router.sink());
    if completions::is_echo_alone(&ask.request) {
        return Ok(echoed(&ask, &prepared, choices, preparation));
    }
    let strands = strands(&ask, &prepared, &wishes, choices);
    let begun = strands.into_iter().map(|strand| strand.begin(router));
    let mut begun = try_join_all(begun).await?;
    let tells_cost = ReplyOptions::of(&ask.request).continuous_usage;
    let first = begun.first_mut().expect("there is a prompt");
    Ok(AnswerReply {
        endpoint: Arc::clone(&first.endpoint),
        explanation: first.explanation.take(),
        pair: first.pair.take(),
        hedge: first.hedge.take(),
        head: ask.head(Some(preparation.prompt_tokens)),
        preparation: Some(preparation),
        echo: echo(&prepared),
        events: AnswerEvents::of_strands(Strands::new(
            router.clone(),
            begun.into_iter().map(|begun| begun.strand).collect(),
            telling,
            tells_cost,
        )),
    })
}

/// Prompts that are given back with nothing behind them: no engine is needed for that.
fn echoed(ask: &Ask, prepared: &[Prepared], choices: u32, preparation: Preparation) -> AnswerReply {
    let all = choices.saturating_mul(u32::try_from(prepared.len()).unwrap_or(u32::MAX));
    let events = completions::echo_events(all, preparation.prompt_tokens);
    AnswerReply {
        endpoint: "none".into(),
        explanation: None,
        pair: None,
        hedge: None,
        head: ask.head(Some(preparation.prompt_tokens)),
        preparation: Some(preparation),
        echo: echo(prepared),
        events: AnswerEvents::ready(events),
    }
}

fn echo(prepared: &[Prepared]) -> Vec<String> {
    prepared.iter().filter_map(|one| one.echo.clone()).collect()
}

fn total(prepared: &[Prepared], count: impl Fn(&Prepared) -> usize) -> u64 {
    prepared.iter().map(|one| count(one) as u64).sum()
}

async fn prepare(ask: &Ask, model: Arc<TextModel>) -> Result<Vec<Prepared>, RouteError> {
    let request = Arc::clone(&ask.request);
    let (now, seed) = (ask.now, hash::seed(&[ask.request_id.as_bytes()]));
    let bytes = request.prompt_bytes();
    let prepared = in_turn(bytes, move || model.prepare(&request, now, seed)).await?;
    prepared.map_err(|error| bad_request(error.to_api()))
}

/// One call for each prompt, or for each choice where a choice may have to be continued by itself.
fn strands(ask: &Ask, prepared: &[Prepared], wishes: &Wishes, choices: u32) -> Vec<Strand> {
    let mut strands = Vec::with_capacity(prepared.len());
    let mut place = Place::default();
    for one in prepared {
        let (calls, each) = if one.may_continue() {
            (choices, 1)
        } else {
            (1, choices)
        };
        place.choices = each;
        for number in 0..calls {
            place.number = number;
            strands.push(Strand::new(ask, one, wishes.clone(), place));
            place.first += each;
            place.strand += 1;
        }
    }
    strands
}
