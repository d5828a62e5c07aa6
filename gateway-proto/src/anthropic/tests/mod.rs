mod errors;
mod property;
mod refusals;
mod requests;
mod streams;

use serde_json::Value;

use super::MessageStream;
use crate::dialect::StreamEncoder;
use crate::ir::{Answer, Event, Finish, Head, Message, Prompt, Step, StopCause, Usage};
use crate::sse::{Decoder, Limits};

fn head() -> Head {
    Head {
        id: "1".into(),
        created: 7,
        model: "a \"model\"".into(),
        prompt_tokens: Some(12),
    }
}

fn step(step: Step) -> Event {
    Event::Step { choice: 0, step }
}

fn text(text: &str) -> Event {
    step(Step::Text(text.into()))
}

fn reasoning(text: &str) -> Event {
    step(Step::Reasoning(text.into()))
}

fn call(id: &str, name: &str) -> Event {
    step(Step::CallStart {
        id: id.into(),
        name: name.into(),
    })
}

fn arguments(more: &str) -> Event {
    step(Step::CallArguments(more.into()))
}

fn finished(finish: Finish, stop: Option<StopCause>) -> Event {
    step(Step::Finished {
        finish,
        stop,
        violation: None,
    })
}

fn usage(prompt: u64, cached: Option<u64>, completion: u64) -> Event {
    Event::Usage(Usage {
        prompt_tokens: prompt,
        completion_tokens: completion,
        cached_tokens: cached,
        reasoning_tokens: None,
    })
}

/// The bytes of a whole stream.
fn stream(events: &[Event]) -> String {
    let (mut encoder, mut out) = (MessageStream::new(head()), Vec::new());
    for event in events {
        encoder.event(event, &mut out);
    }
    encoder.finish(&mut out);
    String::from_utf8(out).expect("UTF-8")
}

/// The events of a stream as JSON; each is named as its type says.
fn read(stream: &str) -> Vec<Value> {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(stream.as_bytes());
    let mut events = Vec::new();
    while let Some(event) = decoder.next_event().expect("within the limits") {
        let data: Value = serde_json::from_str(&event.data).expect("JSON");
        assert_eq!(data["type"].as_str(), event.event.as_deref());
        events.push(data);
    }
    assert!(decoder.is_idle(), "a stream ends with its last event");
    events
}

fn gathered(events: &[Event]) -> Answer {
    let mut answer = Answer::new(head());
    for event in events {
        answer.push(event.clone()).expect("a whole answer");
    }
    answer
}

fn messages(body: &[u8]) -> Vec<Message> {
    match super::decode_request(body).expect("valid").prompt {
        Prompt::Messages(messages) => messages,
        other => panic!("{other:?}"),
    }
}
