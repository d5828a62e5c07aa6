use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::anthropic::encode_answer;
use crate::fuzzing;
use crate::ir::{Content, Part};

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), filled()]
}

fn filled() -> impl Strategy<Value = String> {
    "[ -~\n\u{e9}\u{1F600}]{1,12}"
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        piece().prop_map(Step::Text),
        piece().prop_map(Step::Reasoning),
        piece().prop_map(Step::Signature),
        (piece(), piece()).prop_map(|(id, name)| Step::CallStart { id, name }),
        piece().prop_map(Step::CallArguments),
        Just(Step::CallEnd),
        Just(Step::TokenIds(vec![1])),
        (any_finish(), proptest::option::of(piece())).prop_map(|(finish, stop)| Step::Finished {
            finish,
            stop: stop.map(StopCause::Text),
            violation: None,
        }),
    ]
}

fn any_finish() -> impl Strategy<Value = Finish> {
    prop_oneof![
        Just(Finish::Stop),
        Just(Finish::Length),
        Just(Finish::ToolCalls),
        Just(Finish::Error),
        piece().prop_map(Finish::Other),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    let count = 0..1_000_u64;
    prop_oneof![
        9 => (prop_oneof![9 => Just(0), 1 => Just(1)], any_step())
            .prop_map(|(choice, step)| Event::Step { choice, step }),
        1 => (count.clone(), proptest::option::of(count.clone()), count)
            .prop_map(|(prompt, cached, completion)| usage(prompt, cached, completion)),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Events as a model's output gives them: a call's arguments make up an object and come before anything else.
fn sane_events() -> impl Strategy<Value = Vec<Event>> {
    let said = prop_oneof![
        vec(filled().prop_map(Step::Text), 1..4),
        vec(filled().prop_map(Step::Reasoning), 1..4),
        filled().prop_map(|seal| vec![Step::Reasoning("r".into()), Step::Signature(seal)]),
        (filled(), filled(), any::<prop::sample::Index>()).prop_map(|(id, value, at)| {
            let whole = json!({ "key": value }).to_string();
            let mut at = at.index(whole.len());
            while !whole.is_char_boundary(at) {
                at -= 1;
            }
            let (front, back) = whole.split_at(at);
            vec![
                Step::CallStart {
                    id,
                    name: "f".into(),
                },
                Step::CallArguments(front.into()),
                Step::CallArguments(back.into()),
                Step::CallEnd,
            ]
        }),
    ];
    (vec(said, 0..6), any_finish(), 0..50_u64).prop_map(|(said, finish, cached)| {
        let mut events: Vec<Event> = said.concat().into_iter().map(step).collect();
        events.push(finished(finish, None));
        events.push(usage(40, Some(cached), 9));
        events
    })
}

/// Checks that blocks open and close one after the other and that deltas fit them; gives what they add up to, as a
/// client would.
pub(super) fn rebuilt(stream: &str) -> Value {
    let events = read(stream);
    let (mut message, mut partial, mut open) = (Value::Null, String::new(), None::<usize>);
    for event in &events {
        let content = message["content"].as_array().map_or(0, Vec::len);
        match event["type"].as_str().expect("a type") {
            "message_start" => message = event["message"].clone(),
            "ping" => {}
            "content_block_start" => {
                assert_eq!(open.replace(content), None, "blocks overlap");
                assert_eq!(event["index"], content);
                let blocks = message["content"].as_array_mut().expect("an array");
                blocks.push(event["content_block"].clone());
                partial.clear();
            }
            "content_block_delta" => {
                let at = open.expect("an open block");
                assert_eq!(event["index"], at);
                apply(&mut message["content"][at], &event["delta"], &mut partial);
            }
            "content_block_stop" => {
                let at = open.take().expect("an open block");
                assert_eq!(event["index"], at);
                if message["content"][at]["type"] == "tool_use" && !partial.is_empty() {
                    let input = serde_json::from_str(&partial);
                    message["content"][at]["input"] =
                        input.unwrap_or(json!({"INVALID_JSON": partial}));
                }
            }
            "message_delta" => {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                message["stop_sequence"] = event["delta"]["stop_sequence"].clone();
                message["usage"] = event["usage"].clone();
            }
            "message_stop" => assert_eq!(open, None, "a block stays open"),
            other => panic!("{other}"),
        }
    }
    assert_eq!(events[0]["type"], "message_start");
    assert_eq!(events[events.len() - 1]["type"], "message_stop");
    message
}

fn apply(block: &mut Value, delta: &Value, partial: &mut String) {
    let (kind, member, wanted) = match delta["type"].as_str().expect("a type") {
        "text_delta" => ("text", "text", "text"),
        "thinking_delta" => ("thinking", "thinking", "thinking"),
        "signature_delta" => ("thinking", "signature", "signature"),
        "input_json_delta" => {
            assert_eq!(block["type"], "tool_use");
            partial.push_str(delta["partial_json"].as_str().expect("text"));
            return;
        }
        other => panic!("{other}"),
    };
    assert_eq!(block["type"], kind);
    let before = block[member].as_str().expect("text");
    let after = format!("{before}{}", delta[wanted].as_str().expect("text"));
    block[member] = after.into();
}

proptest! {
    #[test]
    fn blocks_are_well_formed_whatever_comes(events in vec(any_event(), 0..40)) {
        rebuilt(&stream(&events));
    }

    #[test]
    fn the_stream_adds_up_to_the_whole_message(events in sane_events()) {
        let whole: Value = serde_json::from_slice(&encode_answer(&gathered(&events))).expect("JSON");
        prop_assert_eq!(rebuilt(&stream(&events)), whole);
    }

    #[test]
    fn damaged_requests(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = include_bytes!("../../../testdata/anthropic/agent.json").to_vec();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        fuzzing::messages(&bytes);
    }

    #[test]
    fn unknown_members_survive_as_they_came(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty {
            serde_json::to_string_pretty(&value)
        } else {
            serde_json::to_string(&value)
        };
        let text = text.expect("JSON");
        let body = format!(
            r#"{{"a":{text},"model":"m","max_tokens":9,"b":{text},"messages":[{{"role":"user","content":[{{"type":"text","c":{text},"text":"q"}}]}}]}}"#
        );
        let request = crate::anthropic::decode_request(body.as_bytes()).expect("valid");
        prop_assert_eq!(request.extra.raw("a"), Some(text.as_str()));
        prop_assert_eq!(request.extra.raw("b"), Some(text.as_str()));
        let Prompt::Messages(turns) = request.prompt else { panic!("a conversation") };
        let Some(Content::Parts(parts)) = &turns[0].content else { panic!("parts") };
        let Part::Text { extra, .. } = &parts[0] else { panic!("text") };
        prop_assert_eq!(extra.raw("c"), Some(text.as_str()));
    }
}
