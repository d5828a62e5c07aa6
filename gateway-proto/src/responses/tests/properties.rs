//! What holds of any answer.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ir::Answer;
use crate::responses::{EventLog, encode_answer};

fn words() -> impl Strategy<Value = String> + Clone {
    "[ -~\n\u{e9}\u{1f600}]{1,12}"
}

/// One block of an answer, in pieces.
fn block() -> impl Strategy<Value = Vec<Event>> {
    let pieces = proptest::collection::vec(words(), 1..4);
    prop_oneof![
        pieces
            .clone()
            .prop_map(|pieces| pieces.iter().map(|piece| text(piece)).collect()),
        pieces
            .clone()
            .prop_map(|pieces| pieces.iter().map(|piece| reasoning(piece)).collect()),
        (
            proptest::collection::vec(words(), 0..4),
            prop_oneof![
                Just("look"),
                Just("mcp__notes__search"),
                Just("apply_patch"),
                Just("exec_command")
            ]
        )
            .prop_map(|(pieces, name)| {
                let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
                call("call_x", name, &pieces)
            }),
    ]
}

fn ending() -> impl Strategy<Value = Finish> {
    prop_oneof![
        Just(Finish::Stop),
        Just(Finish::Length),
        Just(Finish::ToolCalls),
        Just(Finish::ContentFilter),
    ]
}

fn answer() -> impl Strategy<Value = Vec<Event>> {
    (proptest::collection::vec(block(), 0..6), ending()).prop_map(|(blocks, finish)| {
        let mut events: Vec<Event> = blocks.into_iter().flatten().collect();
        events.push(finished(finish));
        events.push(usage());
        events
    })
}

/// What one item showed on the wire.
#[derive(Default)]
struct Shown {
    deltas: String,
    done: Option<String>,
    part: Option<Value>,
    item: Option<Value>,
}

/// Follows the events as a client does and checks each against what came before.
fn follow(events: &[Value]) -> Vec<Shown> {
    let mut items: Vec<Shown> = Vec::new();
    let mut ids: HashMap<String, usize> = HashMap::new();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "no gaps");
        let kind = event["type"].as_str().expect("a word");
        let index = event["output_index"].as_u64().map(|index| index as usize);
        if kind == "response.output_item.added" {
            assert_eq!(index, Some(items.len()));
            assert!(
                items.iter().all(|item| item.item.is_some()),
                "one at a time"
            );
            let id = event["item"]["id"].as_str().expect("an id").to_owned();
            assert!(ids.insert(id, items.len()).is_none(), "ids are unique");
            items.push(Shown::default());
            continue;
        }
        let Some(index) = index else { continue };
        let shown = &mut items[index];
        assert!(shown.item.is_none(), "nothing after its end");
        if let Some(id) = event["item_id"].as_str() {
            assert_eq!(ids[id], index);
        }
        if kind.ends_with(".delta") {
            shown.deltas += event["delta"].as_str().expect("text");
        } else if kind == "response.content_part.done" {
            shown.part = Some(event["part"].clone());
        } else if kind == "response.output_item.done" {
            shown.item = Some(event["item"].clone());
        } else if kind.ends_with(".done") {
            let told = ["text", "arguments", "input"]
                .iter()
                .find_map(|key| event[*key].as_str());
            shown.done = Some(told.expect("a whole").to_owned());
        }
    }
    items
}

fn whole_text(item: &Value) -> &str {
    let place = match item["type"].as_str().expect("a word") {
        "function_call" => &item["arguments"],
        "custom_tool_call" => &item["input"],
        _ => &item["content"][0]["text"],
    };
    place.as_str().expect("text")
}

fn agent_request() -> ResponsesRequest {
    decode_request(sample!("coding_agent.json")).expect("a good request")
}

proptest! {
    #[test]
    fn streams_are_well_formed(events in answer()) {
        let (out, stream) = written(&agent_request(), Framing::Sse, &events);
        let wire = on_the_wire(&out);
        let items = follow(&wire);
        let last = wire.last().expect("an end");
        prop_assert!(last["response"]["status"].is_string());
        let output = last["response"]["output"].as_array().expect("a list");
        prop_assert_eq!(output.len(), items.len());
        for (shown, item) in items.iter().zip(output) {
            prop_assert_eq!(shown.item.as_ref(), Some(item));
            prop_assert_eq!(shown.deltas.as_str(), whole_text(item));
            prop_assert_eq!(shown.done.as_deref(), Some(whole_text(item)));
            if let Some(part) = &shown.part {
                prop_assert_eq!(part, &item["content"][0]);
            }
        }
        let object: Value = serde_json::from_slice(&stream.response().to_json()).expect("JSON");
        prop_assert_eq!(&object, &last["response"]);
    }

    #[test]
    fn whole_answers_say_what_their_streams_say(events in answer()) {
        let request = agent_request();
        let (_, stream) = written(&request, Framing::Lines, &events);
        let mut answer = Answer::new(head());
        for event in events {
            answer.push(event).expect("nothing failed");
        }
        let whole = encode_answer(&request, &answer, 1_700_000_009);
        prop_assert_eq!(stream.into_response(), whole);
    }

    #[test]
    fn damaged_bodies(
        bare in any::<bool>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let sample = if bare { sample!("bare_items.json") } else { sample!("coding_agent.json") };
        let mut bytes = sample.to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if cut {
            bytes.truncate(end.index(bytes.len()));
        }
        crate::fuzzing::responses(&bytes);
    }

    #[test]
    fn what_came_out_can_go_in_again(events in answer()) {
        let (_, stream) = written(&agent_request(), Framing::Silent, &events);
        let output = stream.response().items().expect("our own items");
        let mut items: Vec<Value> = Vec::new();
        for item in &output {
            items.push(serde_json::from_str(item.json()).expect("JSON"));
        }
        items.push(json!({"role": "user", "content": "and now?"}));
        let body = json!({"model": "m", "input": items});
        let again = request(&body);
        let turns = messages(&again);
        prop_assert_eq!(turns.last().map(|turn| turn.role.as_str()), Some("user"));
        let calls: usize = turns.iter().map(|turn| turn.tool_calls.len()).sum();
        let called = |item: &&Value| item["type"].as_str().is_some_and(|kind| kind.ends_with("_call"));
        prop_assert_eq!(calls, items.iter().filter(called).count());
    }

    #[test]
    fn replays_are_the_rest_of_the_stream(events in answer(), after in 0..40_u64) {
        let (lines, stream) = written(&agent_request(), Framing::Lines, &events);
        let mut log = EventLog::new(1 << 20);
        log.push(&lines);
        prop_assert_eq!(log.next_sequence(), stream.next_sequence());
        let rest = log.after(Some(after)).expect("all held");
        for (number, line) in rest.enumerate() {
            let event: Value = serde_json::from_slice(line).expect("JSON");
            prop_assert_eq!(event["sequence_number"].as_u64(), Some(after + 1 + number as u64));
        }
    }
}
