//! Responses that are kept: continued, told again, listed, deleted; and seen by nobody else.

use serde_json::{Value, json};

use crate::rig::{OTHER, Rig, text, weather_tool};

fn id(object: &Value) -> &str {
    object["id"].as_str().expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_continued_streamed_or_not() {
    let rig = Rig::start().await;
    for streams in [false, true] {
        let body = json!({"input": "My name is Grace."});
        let first = if streams {
            let events = rig.stream(body).await;
            events[events.len() - 1]["response"].clone()
        } else {
            rig.respond(body).await
        };
        let second = rig
            .respond(json!({"input": "Hm.", "previous_response_id": id(&first)}))
            .await;
        assert_eq!(second["previous_response_id"], first["id"]);
        let body = json!({"input": "What is my name?", "previous_response_id": id(&second)});
        assert_eq!(text(&rig.respond(body).await), "You are Grace.");
    }
    assert_eq!(
        text(&rig.respond(json!({"input": "What is my name?"})).await),
        "I do not know."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn instructions_are_not_carried_over() {
    let rig = Rig::start().await;
    let first = rig
        .respond(json!({"input": "Hi", "instructions": "My name is Eve."}))
        .await;
    let body = json!({"input": "What is my name?", "previous_response_id": id(&first)});
    assert_eq!(text(&rig.respond(body).await), "I do not know.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_loop_sends_only_what_is_new() {
    let rig = Rig::start().await;
    let tools = [weather_tool()];
    let first = rig
        .respond(json!({"input": "How is the weather?", "tools": tools}))
        .await;
    let call_id = &first["output"][0]["call_id"];
    let output = json!([{"type": "function_call_output", "call_id": call_id, "output": "rain"}]);
    let body = json!({"input": output, "previous_response_id": id(&first), "tools": tools});
    assert_eq!(text(&rig.respond(body).await), "The tool says: rain.");
    let stray =
        json!([{"type": "function_call_output", "call_id": "call_stray", "output": "rain"}]);
    let refused = rig
        .refused(json!({"input": stray, "previous_response_id": id(&first)}))
        .await;
    assert_eq!(
        refused,
        (
            400,
            "unknown_call_id".into(),
            Some("input[0].call_id".into())
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_told_again_until_it_is_deleted() {
    let rig = Rig::start().await;
    let response = rig.respond(json!({"input": "Hi"})).await;
    let path = format!("/v1/responses/{}", id(&response));
    assert_eq!(rig.get(&path).await.json(), response);
    let deleted = rig.delete(&path).await.json();
    assert_eq!(
        deleted,
        json!({"id": id(&response), "object": "response.deleted", "deleted": true})
    );
    let gone = rig.get(&path).await;
    assert_eq!(
        (gone.status, gone.error().0.as_str()),
        (404, "response_not_found")
    );
    assert_eq!(rig.delete(&path).await.status, 404);
    let refused = rig
        .refused(json!({"input": "Hi", "previous_response_id": id(&response)}))
        .await;
    let told = (
        400,
        "previous_response_not_found".into(),
        Some("previous_response_id".into()),
    );
    assert_eq!(refused, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_that_must_not_be() {
    let rig = Rig::start().await;
    let response = rig.respond(json!({"input": "Hi", "store": false})).await;
    assert_eq!(response["store"], false);
    assert_eq!(
        rig.get(&format!("/v1/responses/{}", id(&response)))
            .await
            .status,
        404
    );
    assert!(rig.gateway.metrics().contains("\ngateway_records 0\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn input_items_are_listed_in_pages() {
    let rig = Rig::start().await;
    let input: Vec<Value> = (0..5)
        .map(|n| json!({"role": "user", "content": format!("Hi {n}")}))
        .collect();
    let response = rig.respond(json!({"input": input})).await;
    let path = format!("/v1/responses/{}/input_items", id(&response));
    let texts = |page: &Value| -> Vec<String> {
        let items = page["data"].as_array().expect("a list").iter();
        items
            .map(|item| {
                item["content"][0]["text"]
                    .as_str()
                    .expect("text")
                    .to_owned()
            })
            .collect()
    };
    let newest = rig.get(&format!("{path}?limit=2")).await.json();
    assert_eq!(
        (texts(&newest), newest["has_more"].as_bool()),
        (vec!["Hi 4".into(), "Hi 3".into()], Some(true))
    );
    let after = newest["last_id"].as_str().expect("an id");
    let rest = rig
        .get(&format!("{path}?after={after}&limit=100"))
        .await
        .json();
    assert_eq!(
        (texts(&rest).len(), rest["has_more"].as_bool()),
        (3, Some(false))
    );
    let oldest = rig.get(&format!("{path}?order=asc")).await.json();
    assert_eq!(texts(&oldest)[0], "Hi 0");
    assert_eq!(rig.get(&format!("{path}?limit=0")).await.status, 400);
    assert_eq!(rig.get(&format!("{path}?after=msg_none")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_referred_to_by_their_ids() {
    let rig = Rig::start().await;
    let first = rig.respond(json!({"input": "My name is Ida."})).await;
    let items = rig
        .get(&format!("/v1/responses/{}/input_items", id(&first)))
        .await
        .json();
    let reference = json!({"type": "item_reference", "id": items["data"][0]["id"]});
    let question = json!({"role": "user", "content": "What is my name?"});
    let response = rig.respond(json!({"input": [reference, question]})).await;
    assert_eq!(text(&response), "You are Ida.");
    let stray = json!([{"type": "item_reference", "id": "msg_none"}, question]);
    let refused = rig.refused(json!({"input": stray})).await;
    assert_eq!(
        refused,
        (400, "item_not_found".into(), Some("input[0].id".into()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_what_is_anothers() {
    let rig = Rig::start().await;
    let mine = rig
        .respond(json!({"input": "My name is Zoe.", "background": true}))
        .await;
    let conversation = rig.post("/v1/conversations", json!({})).await.json();
    let (mine, conversation) = (id(&mine), id(&conversation));
    for (method, path) in [
        ("GET", format!("/v1/responses/{mine}")),
        ("GET", format!("/v1/responses/{mine}?stream=true")),
        ("GET", format!("/v1/responses/{mine}/input_items")),
        ("POST", format!("/v1/responses/{mine}/cancel")),
        ("DELETE", format!("/v1/responses/{mine}")),
        ("GET", format!("/v1/conversations/{conversation}")),
        ("GET", format!("/v1/conversations/{conversation}/items")),
        ("DELETE", format!("/v1/conversations/{conversation}")),
    ] {
        assert_eq!(
            rig.ask(OTHER, method, &path, &Value::Null).await.status,
            404,
            "{method} {path}"
        );
        assert_eq!(
            rig.ask("gw-nobody", method, &path, &Value::Null)
                .await
                .status,
            401,
            "{method} {path}"
        );
    }
    let body = json!({"model": "m", "input": "What is my name?", "previous_response_id": mine});
    let refused = rig.ask(OTHER, "POST", "/v1/responses", &body).await;
    assert_eq!(refused.error().0, "previous_response_not_found");
    let body = json!({"model": "m", "input": "Hi", "conversation": conversation});
    assert_eq!(
        rig.ask(OTHER, "POST", "/v1/responses", &body).await.status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_id_for_many_requests_harms_nothing() {
    let rig = Rig::start().await;
    let body = json!({"model": "m", "input": "Hi"}).to_string();
    let headers = [
        ("authorization", "Bearer gw-one"),
        ("x-request-id", "always-the-same"),
    ];
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let raw = crate::wire::request("POST", "/v1/responses", &headers, body.as_bytes());
        let reply = crate::wire::exchange(rig.addr(), &raw).await;
        assert_eq!(reply.headers["x-request-id"], "always-the-same");
        ids.insert(id(&reply.json()).to_owned());
    }
    assert_eq!(ids.len(), 3);
    assert!(rig.gateway.metrics().contains("\ngateway_records 3\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_history_has_is_not_said_again_by_a_reference() {
    let rig = Rig::start().await;
    let first = rig.respond(json!({"input": "My name is Ida."})).await;
    let path = format!("/v1/responses/{}/input_items", id(&first));
    let item = rig.get(&path).await.json()["data"][0]["id"].clone();
    let reference = json!({"type": "item_reference", "id": item});
    let question = json!({"role": "user", "content": "What is my name?"});
    let used = async |input: Value| {
        let body = json!({"input": input, "previous_response_id": id(&first)});
        let response = rig.respond(body).await;
        assert_eq!(text(&response), "You are Ida.");
        response["usage"]["input_tokens"].as_u64().expect("a count")
    };
    let plain = used(json!([question])).await;
    assert_eq!(used(json!([reference, reference, question])).await, plain);
}

#[tokio::test(flavor = "multi_thread")]
async fn references_bring_no_more_than_a_history_may_hold() {
    let rig = Rig::start().await;
    let note = json!({"role": "user", "content": "x".repeat(100 << 10)});
    let made = rig
        .post("/v1/conversations", json!({"items": [note]}))
        .await
        .json();
    let path = format!("/v1/conversations/{}/items", id(&made));
    let item = rig.get(&path).await.json()["data"][0]["id"].clone();
    let reference = json!({"type": "item_reference", "id": item});
    let many = vec![reference; 400];
    let (status, code, _) = rig.refused(json!({"input": many})).await;
    assert_eq!((status, code.as_str()), (400, "history_too_long"));
}
