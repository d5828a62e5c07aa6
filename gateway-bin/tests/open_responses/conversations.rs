//! Conversations.

use serde_json::{Value, json};

use crate::rig::{Rig, text};

fn id(object: &Value) -> &str {
    object["id"].as_str().expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_lives() {
    let rig = Rig::start().await;
    let items = json!([{"type": "message", "role": "user", "content": "My name is Kim."}]);
    let made = rig
        .post(
            "/v1/conversations",
            json!({"metadata": {"a": "1"}, "items": items}),
        )
        .await
        .json();
    assert_eq!(
        (made["object"].as_str(), &made["metadata"]),
        (Some("conversation"), &json!({"a": "1"}))
    );
    let path = format!("/v1/conversations/{}", id(&made));
    assert_eq!(rig.get(&path).await.json(), made);
    let changed = rig
        .post(&path, json!({"metadata": {"b": "2"}}))
        .await
        .json();
    assert_eq!(
        (&changed["metadata"], &changed["created_at"]),
        (&json!({"b": "2"}), &made["created_at"])
    );
    assert_eq!(rig.get(&path).await.json(), changed);
    let deleted = rig.delete(&path).await.json();
    assert_eq!(
        deleted,
        json!({"id": id(&made), "object": "conversation.deleted", "deleted": true})
    );
    let gone = rig.get(&path).await;
    assert_eq!(
        (gone.status, gone.error().0.as_str()),
        (404, "conversation_not_found")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_read_it_and_add_to_it() {
    let rig = Rig::start().await;
    let conversation = rig.post("/v1/conversations", json!({})).await.json();
    let conversation = id(&conversation);
    let first = rig
        .respond(json!({"input": "My name is Kim.", "conversation": conversation}))
        .await;
    assert_eq!(first["conversation"], json!({"id": conversation}));
    let body = json!({"input": "What is my name?", "conversation": {"id": conversation}});
    let events = rig.stream(body).await;
    assert_eq!(text(&events[events.len() - 1]["response"]), "You are Kim.");
    let path = format!("/v1/conversations/{conversation}/items?order=asc");
    let page = rig.get(&path).await.json();
    let roles: Vec<&str> = page["data"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|item| item["role"].as_str())
        .collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant"]);
    assert_eq!(page["object"], "list");
    let missing = rig
        .refused(json!({"input": "Hi", "conversation": "conv_none"}))
        .await;
    assert_eq!(
        (missing.0, missing.1.as_str()),
        (404, "conversation_not_found")
    );
    let both = rig.refused(
        json!({"input": "Hi", "conversation": conversation, "previous_response_id": id(&first)}),
    );
    assert_eq!(both.await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_come_and_go() {
    let rig = Rig::start().await;
    let conversation = rig.post("/v1/conversations", json!({})).await.json();
    let path = format!("/v1/conversations/{}/items", id(&conversation));
    let items =
        json!([{"role": "user", "content": "My name is Lu."}, {"role": "user", "content": "Hm."}]);
    let added = rig.post(&path, json!({"items": items})).await.json();
    assert_eq!(added["data"].as_array().map(Vec::len), Some(2));
    let first = id(&added["data"][0]).to_owned();
    let one = rig.get(&format!("{path}/{first}")).await.json();
    assert_eq!(
        (&one, one["status"].as_str()),
        (&added["data"][0], Some("completed"))
    );
    let told = rig.delete(&format!("{path}/{first}")).await.json();
    assert_eq!(told, conversation, "the conversation is told");
    let gone = rig.get(&format!("{path}/{first}")).await;
    assert_eq!(
        (gone.status, gone.error().0.as_str()),
        (404, "item_not_found")
    );
    let left = rig.get(&path).await.json();
    assert_eq!(
        (left["data"].as_array().map(Vec::len), &left["data"][0]),
        (Some(1), &added["data"][1])
    );
    assert_eq!(
        rig.post(&path, json!({})).await.error().1.as_deref(),
        Some("items")
    );
    let stray = json!({"items": [{"type": "item_reference", "id": "msg_none"}]});
    assert_eq!(rig.post(&path, stray).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_no_conversation_and_the_other_way_round() {
    let rig = Rig::start().await;
    let conversation = rig.post("/v1/conversations", json!({})).await.json();
    let response = rig.respond(json!({"input": "Hi"})).await;
    assert_eq!(
        rig.get(&format!("/v1/conversations/{}", id(&response)))
            .await
            .status,
        404
    );
    assert_eq!(
        rig.get(&format!("/v1/responses/{}", id(&conversation)))
            .await
            .status,
        404
    );
    let refused = rig
        .refused(json!({"input": "Hi", "previous_response_id": id(&conversation)}))
        .await;
    assert_eq!(refused.1, "previous_response_not_found");
    assert_eq!(
        rig.refused(json!({"input": "Hi", "conversation": id(&response)}))
            .await
            .0,
        404
    );
}
