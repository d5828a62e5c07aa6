mod items;
mod objects;
mod properties;
mod request;
mod socket;
mod stream;

use serde_json::Value;

use super::{Framing, ResponseStream, ResponsesRequest, decode_request};
use crate::dialect::{DialectError, StreamEncoder};
use crate::ir::{Event, Finish, Head, Message, Prompt, Step, Usage};
use crate::sse::{Decoder, Limits};

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/responses/", $name)).as_slice()
    };
}
pub(super) use sample;

fn head() -> Head {
    Head {
        id: "7f".to_owned(),
        created: 1_700_000_000,
        model: "m".to_owned(),
        prompt_tokens: None,
    }
}

fn request(body: &Value) -> ResponsesRequest {
    decode_request(body.to_string().as_bytes()).expect("a good request")
}

fn refused(body: &Value) -> DialectError {
    decode_request(body.to_string().as_bytes()).expect_err("a bad request")
}

fn messages(request: &ResponsesRequest) -> &[Message] {
    match &request.request.prompt {
        Prompt::Messages(messages) => messages,
        other => panic!("no conversation: {other:?}"),
    }
}

fn step(step: Step) -> Event {
    Event::Step { choice: 0, step }
}

fn text(text: &str) -> Event {
    step(Step::Text(text.to_owned()))
}

fn reasoning(text: &str) -> Event {
    step(Step::Reasoning(text.to_owned()))
}

fn call(id: &str, name: &str, pieces: &[&str]) -> Vec<Event> {
    let start = step(Step::CallStart {
        id: id.to_owned(),
        name: name.to_owned(),
    });
    let more = |piece: &&str| step(Step::CallArguments((*piece).to_owned()));
    let mut events = vec![start];
    events.extend(pieces.iter().map(more));
    events.push(step(Step::CallEnd));
    events
}

fn finished(finish: Finish) -> Event {
    step(Step::Finished {
        finish,
        stop: None,
        violation: None,
    })
}

fn usage() -> Event {
    Event::Usage(Usage {
        prompt_tokens: 12,
        completion_tokens: 5,
        cached_tokens: Some(8),
        reasoning_tokens: Some(2),
    })
}

/// What a stream writes for `events`, and the encoder after it.
fn written(
    request: &ResponsesRequest,
    framing: Framing,
    events: &[Event],
) -> (Vec<u8>, ResponseStream) {
    let mut stream = ResponseStream::new(request, &head(), framing);
    let mut out = Vec::new();
    stream.set_time(1_700_000_009);
    for event in events {
        stream.event(event, &mut out);
    }
    stream.finish(&mut out);
    (out, stream)
}

/// The events on the wire, after checking that each has its own type for a name.
fn on_the_wire(bytes: &[u8]) -> Vec<Value> {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(bytes);
    let mut events = Vec::new();
    while let Some(event) = decoder.next_event().expect("small events") {
        if event.data == "[DONE]" {
            continue;
        }
        let value: Value = serde_json::from_str(&event.data).expect("JSON");
        assert_eq!(value["type"].as_str(), event.event.as_deref());
        events.push(value);
    }
    events
}
