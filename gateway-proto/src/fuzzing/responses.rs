//! Bodies of the Responses API.

use serde::de::IgnoredAny;

use crate::error::ApiError;
use crate::ir::{Answer, Head, Prompt};
use crate::openai::chat as chat_codec;
use crate::responses::{
    Framing, Item, ResponseStream, ResponsesRequest, decode_conversation, decode_items,
    decode_message, decode_request, encode_answer, error_message,
};

/// What is accepted is JSON with a chat form that says the same, items that read the same again, and a response whose
/// JSON is one line; what is refused gives an error that is JSON.
pub fn responses(data: &[u8]) {
    let _ = decode_message(data);
    let _ = decode_conversation(data);
    if let Ok(items) = decode_items(data) {
        check_items(items);
    }
    match decode_request(data) {
        Ok(request) => {
            assert!(is_json(data));
            check_prompt(&request);
            check_response(&request);
            check_items(request.input);
        }
        Err(fault) => assert!(is_json(&error_message(&ApiError::from(fault), 0))),
    }
}

fn is_json(data: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(data).is_ok()
}

fn check_prompt(request: &ResponsesRequest) {
    let Prompt::Messages(turns) = &request.request.prompt else {
        panic!("a conversation becomes a conversation")
    };
    let waits = request.needs_history() || !request.settings.generate;
    assert!(waits || !turns.is_empty());
    let chat = chat_codec::decode_request(&chat_codec::encode_request(&request.request));
    assert_eq!(chat.expect("a chat request").prompt, request.request.prompt);
}

fn check_response(request: &ResponsesRequest) {
    let mut out = Vec::new();
    let mut stream = ResponseStream::new(request, &Head::default(), Framing::Lines);
    stream.begin(&mut out);
    for line in out
        .strip_suffix(b"\n")
        .expect("whole lines")
        .split(|byte| *byte == b'\n')
    {
        assert!(is_json(line));
    }
    assert!(is_json(
        &encode_answer(request, &Answer::default(), 0).to_json()
    ));
}

fn check_items(items: Vec<Item>) {
    for (number, mut item) in items.into_iter().enumerate() {
        let again = Item::from_json(item.json()).expect("our own item");
        assert_eq!(again.json(), item.json());
        item.name("7f", number);
        let named = Item::from_json(item.json()).expect("our own item");
        assert_eq!((named.id(), named.json()), (item.id(), item.json()));
    }
}
