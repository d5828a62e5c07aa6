use insta::assert_debug_snapshot;
use serde_json::json;

use super::*;
use crate::ir::Content;
use crate::responses::{Compaction, Item};

fn fault_in(items: &Value) -> DialectError {
    refused(&json!({"model": "m", "input": items}))
}

#[test]
fn items_without_types_ids_and_statuses() {
    let request = decode_request(sample!("bare_items.json")).expect("a good request");
    assert_debug_snapshot!("bare_items_messages", messages(&request));
}

#[test]
fn listed_items_have_what_the_specification_asks_for() {
    let mut request = decode_request(sample!("bare_items.json")).expect("a good request");
    request.name_items("7f");
    let told: Vec<Value> = request
        .input
        .iter()
        .map(|item| serde_json::from_str(item.json()).expect("JSON"))
        .collect();
    assert_eq!(told[0]["type"], "message");
    assert_eq!(told[0]["id"], "msg_7f_i0");
    assert_eq!(
        told[0]["content"],
        json!([{"type": "input_text", "text": "Be brief."}])
    );
    assert_eq!(told[3]["id"], "fc_7f_i3");
    assert_eq!(told[5]["status"], "completed");
    for item in &request.input {
        let again = Item::from_json(item.json()).expect("our own item");
        assert_eq!((again.id(), again.json()), (item.id(), item.json()));
        assert_eq!(again.body, item.body);
    }
}

#[test]
fn a_turn_of_the_model_is_one_message() {
    let body = json!({"model": "m", "input": [
        {"role": "user", "content": "a"},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "r1"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "r2"}]},
        {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {"type": "function_call_output", "call_id": "c2", "output": "2"},
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA of another service"},
        {"role": "assistant", "content": "first"},
        {"role": "assistant", "content": "second"},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "r3"}]},
        {"role": "assistant", "content": "third"},
    ]});
    let request = request(&body);
    let shape: Vec<(&str, Option<&str>, usize)> = messages(&request)
        .iter()
        .map(|turn| {
            (
                turn.role.as_str(),
                turn.reasoning.as_deref(),
                turn.tool_calls.len(),
            )
        })
        .collect();
    let expected = [
        ("user", None, 0),
        ("assistant", Some("r1\nr2"), 2),
        ("tool", None, 0),
        ("tool", None, 0),
        ("assistant", None, 0),
        ("assistant", None, 0),
        ("assistant", Some("r3"), 0),
    ];
    assert_eq!(shape, expected);
}

#[test]
fn calls_of_other_services_stay_readable() {
    let body = json!({"model": "m", "input": [
        {"role": "user", "content": "a"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "local_shell_call", "call_id": "c1", "action": {"type": "exec", "command": ["ls"]}},
        {"type": "local_shell_call_output", "call_id": "c1", "output": {"stdout": "a.txt"}},
    ]});
    let request = request(&body);
    let turns = messages(&request);
    assert_eq!(turns[1].tool_calls[0].name, "local_shell");
    let told = Content::Text(r#"{"stdout":"a.txt"}"#.to_owned());
    assert_eq!(turns[2].content, Some(told));
    assert_eq!(request.input.len(), 4, "receipts are kept");
}

#[test]
fn bad_items_are_named() {
    let user = json!({"role": "user", "content": "a"});
    let cases = [
        (json!([user, 5]), "input[1]"),
        (json!([{"content": "a"}]), "input[0].type"),
        (json!([{"role": "robot", "content": "a"}]), "input[0].role"),
        (json!([{"role": "user"}]), "input[0].content"),
        (json!([{"role": "user", "content": 5}]), "input[0].content"),
        (
            json!([{"role": "user", "content": [{"type": "text"}]}]),
            "input[0].content[0].text",
        ),
        (
            json!([{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]),
            "input[0].content[0].image_url",
        ),
        (
            json!([{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]),
            "input[0].content[0].file_data",
        ),
        (
            json!([{"role": "user", "content": [{"type": "smell"}]}]),
            "input[0].content[0].type",
        ),
        (
            json!([{"role": "assistant", "content": [{"type": "input_image", "image_url": "u"}]}]),
            "input[0].content",
        ),
        (
            json!([{"type": "function_call", "call_id": 7, "name": "f", "arguments": ""}]),
            "input[0].call_id",
        ),
        (
            json!([{"type": "function_call", "call_id": "c", "arguments": ""}]),
            "input[0].name",
        ),
        (
            json!([user, {"type": "function_call_output", "call_id": "c", "output": "x"}]),
            "input[1].call_id",
        ),
        (
            json!([{"type": "computer_call", "call_id": "c"}]),
            "input[0].type",
        ),
        (
            json!([{"type": "compaction", "encrypted_content": "gAAAA"}]),
            "input[0].encrypted_content",
        ),
    ];
    for (items, path) in cases {
        let fault = fault_in(&items);
        assert_eq!(fault.path.as_deref(), Some(path), "{items} gave {fault:?}");
    }
    let late =
        fault_in(&json!([user, {"type": "function_call_output", "call_id": "c", "output": "x"}]));
    assert_eq!(late.code, Some("unknown_call_id"));
}

#[test]
fn a_continuation_waits_for_what_came_before() {
    let first = request(&json!({"model": "m", "instructions": "I", "input": "hi"}));
    let (_, stream) = written(&first, Framing::Silent, &call("c1", "f", &["{}"]));
    let mut history = first.input.clone();
    history.extend(stream.response().items().expect("our own items"));
    let mut next = request(&json!({
        "model": "m", "previous_response_id": "resp_7f",
        "input": [{"type": "function_call_output", "call_id": "c1", "output": "1"}],
    }));
    assert!(next.needs_history());
    assert!(messages(&next).is_empty());
    let mut orphan = next.clone();
    let fault = orphan.resolve(&[], &[]).expect_err("no such call");
    assert_eq!(fault.path.as_deref(), Some("input[0].call_id"));
    next.resolve(&history, &[]).expect("the call is there");
    let roles: Vec<&str> = messages(&next)
        .iter()
        .map(|turn| turn.role.as_str())
        .collect();
    assert_eq!(
        roles,
        ["user", "assistant", "tool"],
        "instructions are not carried over"
    );
}

#[test]
fn references_take_their_items_places() {
    let mut request = request(&json!({"model": "m", "input": [
        {"id": "msg_1"}, {"type": "item_reference", "id": "msg_2"}, {"role": "user", "content": "c"},
    ]}));
    let item = |id: &str, said: &str| {
        let json = json!({"type": "message", "id": id, "role": "user", "content": said});
        Item::from_json(&json.to_string()).expect("an item")
    };
    assert_eq!(request.references().collect::<Vec<_>>(), ["msg_1", "msg_2"]);
    let mut lost = request.clone();
    let fault = lost
        .resolve(&[item("msg_1", "a")], &[])
        .expect_err("msg_2 is nowhere");
    assert_eq!(fault.path.as_deref(), Some("input[1].id"));
    request
        .resolve(&[item("msg_1", "a")], &[item("msg_2", "b")])
        .expect("both are there");
    assert_eq!(messages(&request).len(), 3);
    assert_eq!(
        request.input.len(),
        2,
        "what history holds is not said twice"
    );
}

#[test]
fn a_compaction_reads_as_what_it_stands_for() {
    let first = request(&json!({"model": "m", "input": [
        {"role": "user", "content": "a"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    ]}));
    let usage = Usage::default();
    let once = Compaction::new("7f", 1, Vec::new(), &first.input, usage);
    let twice = Compaction::new("80", 2, Vec::new(), &once.output, usage);
    let compacted: Value = serde_json::from_slice(&twice.to_json()).expect("JSON");
    assert_eq!(compacted["object"], "response.compaction");
    let item = &compacted["output"][0];
    assert_eq!(item["id"], "cmp_80");
    let again = request(&json!({"model": "m", "input": [
        item, {"type": "function_call_output", "call_id": "c1", "output": "1"},
    ]}));
    let roles: Vec<&str> = messages(&again)
        .iter()
        .map(|turn| turn.role.as_str())
        .collect();
    assert_eq!(roles, ["user", "assistant", "tool"]);
}
