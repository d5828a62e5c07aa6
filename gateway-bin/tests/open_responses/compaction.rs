//! Conversations in short.

use serde_json::{Value, json};

use crate::rig::{Rig, text};

fn talk() -> Value {
    json!([
        {"type": "message", "role": "user", "content": "My name is Ada and I like tea."},
        {"type": "message", "role": "assistant", "content": "Noted."},
        {"type": "message", "role": "user", "content": "And now?"},
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_on_from_its_compaction() {
    let rig = Rig::start().await;
    let short = rig
        .post(
            "/v1/responses/compact",
            json!({"model": "m", "input": talk()}),
        )
        .await
        .json();
    assert_eq!(short["object"], "response.compaction");
    assert!(
        short["id"].is_string() && short["created_at"].is_number(),
        "{short}"
    );
    assert!(
        short["usage"]["output_tokens"].as_u64() > Some(3),
        "{short}"
    );
    let output = short["output"].as_array().expect("a list");
    let last = &output[output.len() - 1];
    assert_eq!(last["type"], "compaction");
    assert!(last["encrypted_content"].is_string());
    let mut input = output.clone();
    input.push(json!({"role": "user", "content": "What do I like?"}));
    assert_eq!(
        text(&rig.respond(json!({"input": input})).await),
        "You like tea, Ada."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_response_is_put_in_short() {
    let rig = Rig::start().await;
    let first = rig.respond(json!({"input": talk()})).await;
    let body = json!({"model": "m", "previous_response_id": first["id"]});
    let short = rig.post("/v1/responses/compact", body).await.json();
    assert_eq!(short["object"], "response.compaction", "{short}");
    let missing = json!({"model": "m", "previous_response_id": "resp_none"});
    let refused = rig.post("/v1/responses/compact", missing).await;
    assert_eq!(refused.error().0, "previous_response_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_turn_stays_as_it_is() {
    let rig = Rig::start().await;
    let body = json!({"model": "m", "input": "What is my name?"});
    let short = rig.post("/v1/responses/compact", body).await.json();
    assert_eq!(short["usage"]["total_tokens"], 0, "no engine was needed");
    assert_eq!(rig.engine.stats().requests, 0);
    let response = rig.respond(json!({"input": short["output"]})).await;
    assert_eq!(text(&response), "I do not know.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_compaction_is_refused() {
    let rig = Rig::start().await;
    let input = json!([{"type": "compaction", "encrypted_content": "gAAAA"}, {"role": "user", "content": "Hi"}]);
    let refused = rig.refused(json!({"input": input})).await;
    assert_eq!(
        (refused.0, refused.2.as_deref()),
        (400, Some("input[0].encrypted_content"))
    );
}
