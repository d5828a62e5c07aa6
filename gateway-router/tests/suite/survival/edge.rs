//! Through the edge: the bytes that a caller gets, in its own API.

use std::{future::poll_fn, pin::Pin, sync::Arc};

use futures_util::Stream as _;
use gateway_router::{
    edge::{AnswerReply, Ask},
    proto::{
        anthropic,
        dialect::StreamEncoder,
        ir::{Event, Head, Request},
        openai::{Api, ReplyOptions, chat},
        responses::{self, Framing, ResponseStream},
        text::model::{ModelOptions, TextModel},
    },
};
use serde_json::{Value, json};

use super::{
    Fleet,
    writer::{Fault, How, WritingEngine, fault},
};
use crate::{
    common::within,
    edge::{ask, gathered, model},
};

/// The small model's marks.
const END: u32 = 4098;
const THINK: u32 = 4103;
const END_OF_THOUGHT: u32 = 4104;

/// Engines that write words of the small model, letters cut in two and ends of thoughts among them.
struct Writers {
    model: Arc<TextModel>,
    words: Arc<[u32]>,
}

impl Writers {
    fn new() -> Self {
        let model = model(&ModelOptions::default());
        let text =
            "It may well be that naïve ☃ rivers of 東京 run on, and on; \"so\" they {say}.\n";
        let mut words = model.tokenizer().encode(text, false).expect("text");
        words.extend([THINK, END_OF_THOUGHT]);
        Self {
            model: Arc::new(model),
            words: words.into(),
        }
    }

    fn fleet(&self, faults: &[&[Fault]]) -> Fleet {
        let engine = |faults: &&[Fault]| {
            WritingEngine::with_words(faults, Arc::clone(&self.words), Some(END))
        };
        Fleet::of(faults.iter().map(engine).collect(), |_| {})
    }

    async fn answer(&self, fleet: &Fleet, request: Request) -> AnswerReply {
        let ask: Ask = ask(request, Some(Arc::clone(&self.model)));
        let reply = within(fleet.rig.router.answer(ask)).await;
        reply.expect("an answer begins")
    }

    /// The stream that a caller of `api` gets.
    async fn bytes(&self, fleet: &Fleet, api: Api, body: &Value) -> String {
        let (request, write) = decoded(api, body);
        let mut reply = self.answer(fleet, request).await;
        let mut encoder = write(&reply.head);
        let mut out = Vec::new();
        let next = async |reply: &mut AnswerReply| {
            within(poll_fn(|cx| Pin::new(&mut reply.events).poll_next(cx))).await
        };
        loop {
            match next(&mut reply).await {
                Some(Event::Failed(error)) => break encoder.fail(&error, &mut out),
                Some(event) => encoder.event(&event, &mut out),
                None => break encoder.finish(&mut out),
            }
        }
        String::from_utf8(out).expect("text")
    }
}

type Write = Box<dyn FnOnce(&Head) -> Box<dyn StreamEncoder>>;

fn decoded(api: Api, body: &Value) -> (Request, Write) {
    let body = body.to_string();
    match api {
        Api::Messages => {
            let request = anthropic::decode_request(body.as_bytes()).expect("a good body");
            let write = |head: &Head| Box::new(anthropic::MessageStream::new(head.clone())) as _;
            (request, Box::new(write))
        }
        Api::Responses => {
            let asked = responses::decode_request(body.as_bytes()).expect("a good body");
            let request = asked.request.clone();
            let write = move |head: &Head| {
                Box::new(ResponseStream::new(&asked, head, Framing::Sse)) as Box<dyn StreamEncoder>
            };
            (request, Box::new(write))
        }
        _ => {
            let request = chat::decode_request(body.as_bytes()).expect("a good body");
            let options = ReplyOptions::of(&request);
            let write = move |head: &Head| {
                Box::new(chat::ChatStream::new(head, &options)) as Box<dyn StreamEncoder>
            };
            (request, Box::new(write))
        }
    }
}

fn body(api: Api, more: &Value) -> Value {
    let turns = json!([{"role": "user", "content": "Where do rivers run?"}]);
    let mut body = match api {
        Api::Responses => json!({"input": turns, "max_output_tokens": 60}),
        Api::Messages => json!({"messages": turns, "max_tokens": 60}),
        _ => {
            json!({"messages": turns, "max_tokens": 60, "stream_options": {"include_usage": true}})
        }
    };
    let body_of = body.as_object_mut().expect("an object");
    body_of.insert("model".to_owned(), "m".into());
    body_of.insert("stream".to_owned(), true.into());
    let more = more.as_object().expect("an object").clone();
    body_of.extend(more);
    body
}

/// The same bytes wherever engines fail: the first after each number of tokens, the second as well.
async fn is_told_alike(api: Api, more: Value) -> String {
    let writers = Writers::new();
    let body = body(api, &more);
    let whole = writers.bytes(&writers.fleet(&[&[]]), api, &body).await;
    let mut taken = 0;
    for after in 1..60 {
        let how = How::MIDWAY[after % 4];
        let faults: [&[Fault]; 3] = [&[fault(how, after)], &[fault(How::Hangs, 9)], &[]];
        let fleet = writers.fleet(&faults);
        let told = writers.bytes(&fleet, api, &body).await;
        assert_eq!(told, whole, "{api:?} {more}: {how:?} after {after}");
        fleet.rig.assert_idle();
        taken += fleet.calls(1).len();
    }
    assert!(taken > 9, "engines failed in the middle");
    whole
}

#[tokio::test(start_paused = true)]
async fn a_chat_is_told_alike() {
    let whole = is_told_alike(Api::ChatCompletions, json!({})).await;
    assert!(whole.ends_with("data: [DONE]\n\n"), "{whole}");
}

#[tokio::test(start_paused = true)]
async fn log_probabilities_and_several_choices_are_told_alike() {
    let more = json!({"logprobs": true, "top_logprobs": 0, "seed": 3});
    is_told_alike(Api::ChatCompletions, more).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_is_told_alike() {
    let whole = is_told_alike(Api::Messages, json!({})).await;
    assert!(whole.contains("event: message_stop"), "{whole}");
}

#[tokio::test(start_paused = true)]
async fn a_response_is_told_alike() {
    let whole = is_told_alike(Api::Responses, json!({})).await;
    assert!(whole.contains("event: response."), "{whole}");
}

/// The text of the only choice.
async fn text(writers: &Writers, fleet: &Fleet, more: &Value) -> String {
    let (mut request, _) = decoded(Api::ChatCompletions, &body(Api::ChatCompletions, more));
    request.stream = false;
    let answer = gathered(writers.answer(fleet, request).await).await;
    answer.expect("it does not break").choices[0].text()
}

#[tokio::test(start_paused = true)]
async fn a_stop_text_across_the_seam_is_found() {
    let writers = Writers::new();
    let written = text(&writers, &writers.fleet(&[&[]]), &json!({})).await;
    let letters: Vec<char> = written.chars().collect();
    let middle = letters.len() / 2;
    let stop: String = letters[middle - 5..middle + 5].iter().collect();
    let more = json!({ "stop": [stop] });
    let ended = is_told_alike(Api::ChatCompletions, more.clone()).await;
    assert!(ended.contains("\"finish_reason\":\"stop\""), "{ended}");
    let short = text(&writers, &writers.fleet(&[&[]]), &more).await;
    assert!(written.starts_with(&short) && short.len() < written.len());
}

#[tokio::test(start_paused = true)]
async fn a_budget_of_reasoning_is_kept_across_the_seam() {
    let more = json!({"thinking": {"type": "enabled", "budget_tokens": 6}});
    is_told_alike(Api::ChatCompletions, more).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_streamed_is_told_alike() {
    let writers = Writers::new();
    let whole = text(&writers, &writers.fleet(&[&[]]), &json!({})).await;
    for after in 1..20 {
        let fleet = writers.fleet(&[&[fault(How::Breaks, after)], &[]]);
        assert_eq!(text(&writers, &fleet, &json!({})).await, whole);
        fleet.rig.assert_idle();
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_left_there_is_one_error() {
    let writers = Writers::new();
    for (api, mark) in [
        (Api::ChatCompletions, "data: {\"error\":"),
        (Api::Messages, "event: error\n"),
        (Api::Responses, "event: error\n"),
    ] {
        let body = body(api, &json!({}));
        let whole = writers.bytes(&writers.fleet(&[&[]]), api, &body).await;
        let fleet = writers.fleet(&[&[fault(How::Breaks, 7)]]);
        let told = writers.bytes(&fleet, api, &body).await;
        assert_eq!(told.matches(mark).count(), 1, "{told}");
        let (shown, broken) = told.split_once(mark).expect("an error");
        assert!(whole.starts_with(shown), "{told}");
        assert!(broken.contains("It failed.") && !broken.contains("[DONE]"));
        fleet.rig.assert_idle();
    }
}
