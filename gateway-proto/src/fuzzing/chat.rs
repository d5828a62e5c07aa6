//! Request bodies.

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::ir::check::{Limits, check, first_media};
use crate::ir::{Event, Request, Step, ToolChoice};
use crate::openai::{
    Api, ReplyOptions, RequestError, RequestView, ViewLimits, chat as chat_codec, completions,
};

/// The view agrees with `serde_json` on what is JSON and on what it says; an edit changes one field; what the codecs
/// read, they write so that they read the same again.
pub fn chat(data: &[u8]) {
    for api in Api::ALL {
        match RequestView::parse(api, data, &ViewLimits::default()) {
            Ok(view) => check_view(&view, data),
            Err(RequestError::TooDeep { .. }) => {}
            Err(error) if error.is_syntax() => assert!(!is_object(data), "{error}"),
            Err(_) => {}
        }
    }
    check_requests(data);
    check_answers(data);
    check_stream(data);
}

fn is_object(data: &[u8]) -> bool {
    let object = data.trim_ascii_start().starts_with(b"{");
    object
        && std::str::from_utf8(data).is_ok()
        && serde_json::from_slice::<IgnoredAny>(data).is_ok()
}

fn check_view(view: &RequestView, data: &[u8]) {
    assert!(is_object(data), "accepted what is no JSON object");
    // Numbers past a double and lone surrogates are JSON, but no `Value`.
    if let Ok(value) = serde_json::from_slice::<Value>(data) {
        assert_eq!(value["model"].as_str().unwrap_or_default(), &*view.model);
        assert_eq!(value["stream"].as_bool().unwrap_or(false), view.stream);
        check_prompt(view, data, &value);
    }
    if view.model_span.is_empty() {
        return;
    }
    let spliced = view.splice_model(data, "other \"model\"");
    let again = RequestView::parse(view.api, &spliced, &ViewLimits::default())
        .expect("an edit keeps a body valid");
    assert_eq!(&*again.model, "other \"model\"");
    assert_eq!(again.prompt_span.of(&spliced), view.prompt_span.of(data));
}

fn check_prompt(view: &RequestView, data: &[u8], value: &Value) {
    let key = match view.api {
        Api::Completions => "prompt",
        Api::ChatCompletions => "messages",
        _ => return,
    };
    assert_eq!(value["n"].as_u64().unwrap_or(1), u64::from(view.n));
    let span: Value = serde_json::from_slice(view.prompt_span.of(data)).expect("a span is a value");
    assert_eq!(value[key], span);
}

fn check_requests(data: &[u8]) {
    if let Ok(request) = chat_codec::decode_request(data) {
        let again = chat_codec::decode_request(&chat_codec::encode_request(&request));
        assert_eq!(again.expect("our own"), with_offered_tools(request));
    }
    if let Ok(request) = completions::decode_request(data) {
        let again = completions::decode_request(&completions::encode_request(&request));
        assert_eq!(again.expect("our own"), request);
    }
}

/// What engines are told of the tools: those that may be called, and no choice among them.
fn with_offered_tools(mut request: Request) -> Request {
    request.tools = request.offered_tools().cloned().collect();
    if let ToolChoice::Allowed { required, .. } = request.tool_choice {
        request.tool_choice = match required {
            true => ToolChoice::Required,
            false => ToolChoice::Auto,
        };
    }
    request
}

/// Checks name a member, and what is read as an answer is written as JSON.
fn check_answers(data: &[u8]) {
    if let Ok(request) = chat_codec::decode_request(data) {
        if let Err(error) = check(&request, &Limits::default()) {
            assert!(!error.path.is_empty());
        }
        let media = first_media(&request);
        assert!(media.is_none_or(|part| part.path.starts_with("messages[")));
    }
    if let Ok(answer) = chat_codec::read_answer(data) {
        for written in [
            chat_codec::encode_answer(&answer, &ReplyOptions::default()),
            completions::encode_answer(&answer, &ReplyOptions::default()),
        ] {
            serde_json::from_slice::<IgnoredAny>(&written).expect("an answer is JSON");
        }
    }
}

/// Lines as chunks: arguments come within a call, no text is empty, and nothing follows a failure.
fn check_stream(data: &[u8]) {
    let (mut reader, mut events) = (chat_codec::ChunkReader::new(), Vec::new());
    for line in String::from_utf8_lossy(data).lines() {
        reader.read(line, &mut events);
    }
    let mut open = std::collections::BTreeSet::new();
    for (at, event) in events.iter().enumerate() {
        let (choice, step) = match event {
            Event::Step { choice, step } => (*choice, step),
            Event::Usage(_) => continue,
            Event::Failed(_) => {
                assert_eq!(at + 1, events.len());
                continue;
            }
        };
        match step {
            Step::CallStart { .. } => assert!(open.insert(choice), "two calls open at once"),
            Step::CallArguments(more) => assert!(open.contains(&choice) && !more.is_empty()),
            Step::CallEnd => assert!(open.remove(&choice), "no call to end"),
            Step::Text(text) | Step::Reasoning(text) => {
                assert!(!open.contains(&choice) && !text.is_empty());
            }
            _ => {}
        }
    }
}
