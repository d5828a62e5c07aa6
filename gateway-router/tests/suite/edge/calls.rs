//! The calls that an answer takes, by an engine that follows a script.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::FutureExt as _;
use gateway_router::{
    EngineKind,
    edge::AnswerReply,
    proto::{
        ir::{Event, Step as Told, Usage},
        text::model::{ModelOptions, TextModel},
    },
};
use serde_json::{Value, json};

use super::{ask, chat_request, gathered, model, next, question};
use crate::common::{
    rig::{self, Rig},
    script::{ScriptEngine, Step, say_and_stay},
    wire::{DONE, chunk, stream, whole_stream},
    within,
};

struct Scripted {
    rig: Rig,
    engine: ScriptEngine,
    model: Arc<TextModel>,
}

impl Scripted {
    async fn start(script: impl FnOnce(&TextModel) -> Vec<Step>) -> Self {
        let model = Arc::new(model(&ModelOptions::default()));
        let engine = ScriptEngine::always(script(&model)).await;
        let mut settings = rig::settings(&[engine.addr]);
        settings.endpoints[0].kind = EngineKind::Vllm;
        Self {
            rig: Rig::with(settings),
            engine,
            model,
        }
    }

    async fn ask(&self, body: Value) -> AnswerReply {
        let ask = ask(chat_request(body), Some(Arc::clone(&self.model)));
        let reply = within(self.rig.router.answer(ask)).await;
        reply.expect("an answer")
    }
}

/// An event of vLLM's `/inference/v1/generate`.
fn event(model: &TextModel, choice: u32, text: &str, finish: Option<&str>) -> String {
    let ids = model.tokenizer().encode(text, false).expect("text");
    let choice = json!({"index": choice, "token_ids": ids, "finish_reason": finish});
    format!("data: {}\n\n", json!({ "choices": [choice] }))
}

#[tokio::test]
async fn every_call_of_an_answer_has_an_id_of_its_own_and_its_prompt_counts_once() {
    let edge = Scripted::start(|model| {
        let thought = "<think>\nWell, let me think about this for a good while. ";
        let events = [
            event(model, 0, thought, None),
            event(model, 0, "Yes", Some("stop")),
        ];
        let [thought, end] = &events;
        vec![Step::Serve(whole_stream(&[thought, end, DONE]))]
    })
    .await;
    let mut body = question("Why?");
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 4});
    body["n"] = 2.into();
    let answer = gathered(edge.ask(body).await).await;
    assert_eq!(answer.expect("it does not break").choices.len(), 2);

    let heard = edge.engine.heard();
    let ids = heard.iter().filter_map(|one| one.header("x-request-id"));
    let ids: BTreeSet<_> = ids.collect();
    // It thinks anew whenever its reasoning was closed, which is done twice.
    let expected = ["r-1", "r-1-0-1", "r-1-0-2", "r-1-1-0", "r-1-1-1", "r-1-1-2"];
    assert_eq!(ids, BTreeSet::from(expected));
    assert_eq!(heard.len(), 6);

    let reports = edge.rig.reports.all();
    assert!(reports.iter().all(|one| &*one.request_id == "r-1"));
    let counting: Vec<_> = reports
        .iter()
        .filter(|one| one.leg.counts_prompt())
        .map(|one| (one.leg.strand, one.leg.number))
        .collect();
    assert_eq!((reports.len(), counting), (6, vec![(0, 0)]));
}

#[tokio::test]
async fn an_engine_is_stopped_when_the_last_choice_is_over_whoever_ended_the_others() {
    let edge = Scripted::start(|model| {
        let events = [
            event(model, 0, "One two three four", None),
            event(model, 1, "Five", Some("stop")),
        ];
        // Choice 0 could go on for ever.
        say_and_stay(stream(&[&events.concat()]))
    })
    .await;
    let mut body = question("Count");
    body["stop"] = "three".into();
    body["n"] = 2.into();
    let answer = gathered(edge.ask(body).await).await;
    let answer = answer.expect("it does not break");
    let texts: Vec<_> = answer.choices.iter().map(|one| one.text()).collect();
    assert_eq!(texts, ["One two ", "Five"]);
    edge.engine.left(1).await;
    edge.rig.assert_idle();
}

#[tokio::test]
async fn nobody_waits_for_the_end_of_an_engines_connection() {
    let edge = Scripted::start(|model| {
        let end = [event(model, 0, "Yes", Some("stop")), DONE.to_owned()];
        say_and_stay(stream(&[&end.concat()]))
    })
    .await;
    let mut reply = edge.ask(question("Well?")).await;
    let is_end = |event: &Event| {
        matches!(
            event,
            Event::Step {
                step: Told::Finished { .. },
                ..
            }
        )
    };
    while !is_end(&next(&mut reply).await.expect("an end")) {}
    let usage = next(&mut reply).now_or_never().expect("at once");
    assert!(matches!(usage, Some(Event::Usage(_))), "{usage:?}");
    assert_eq!(next(&mut reply).now_or_never(), Some(None));
    // The connection is closed all the same where its end does not come.
    edge.engine.left(1).await;
}

#[tokio::test]
async fn the_cost_so_far_comes_with_every_batch_where_asked_for() {
    let edge = Scripted::start(|model| {
        let events = [
            event(model, 0, "One two", None),
            event(model, 0, " three", Some("stop")),
        ];
        let [first, last] = &events;
        vec![
            Step::Read,
            Step::Say(stream(&[first])),
            Step::Pause,
            Step::Say(chunk(&[last, DONE].concat())),
        ]
    })
    .await;
    let mut body = question("Count");
    body["stream"] = true.into();
    body["stream_options"] = json!({"include_usage": true, "continuous_usage_stats": true});
    let mut reply = edge.ask(body).await;
    let mut costs: Vec<Usage> = Vec::new();
    let mut has_text = false;
    while let Some(event) = next(&mut reply).await {
        match event {
            Event::Usage(usage) => costs.push(usage),
            Event::Step { .. } if !has_text => {
                has_text = true;
                assert!(
                    costs[0].completion_tokens > 0,
                    "before the pieces it is written into"
                );
            }
            _ => {}
        }
    }
    let written: Vec<_> = costs.iter().map(|cost| cost.completion_tokens).collect();
    assert!(written.len() >= 2 && written.is_sorted(), "{written:?}");
    assert!(
        costs
            .iter()
            .all(|cost| Some(cost.prompt_tokens) == reply.head.prompt_tokens)
    );
}
