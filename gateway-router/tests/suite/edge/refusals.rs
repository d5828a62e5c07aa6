//! What is refused before any engine is asked.

use gateway_router::{ErrorKind, RouteError};
use serde_json::{Value, json};

use super::{Edge, chat_request, completion_request, gathered, question};

async fn refused(edge: &Edge, body: Value) -> RouteError {
    let error = edge.ask(chat_request(body)).await.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(error.to_api().status, 400);
    error
}

#[tokio::test]
async fn nothing_wrong_reaches_an_engine() {
    let edge = Edge::start(&[]).await;
    let image = json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}]});
    let error = refused(&edge, image).await;
    assert_eq!(
        error.to_api().param.as_deref(),
        Some("messages[0].content[1]")
    );
    assert!(error.to_api().message.contains("image_url"));

    let long = refused(&edge, question(&"many words ".repeat(200_000))).await;
    let context = edge.model.context_tokens().to_string();
    assert!(long.to_api().message.contains(&context), "{long}");
    assert_eq!(
        long.to_api().code.as_deref(),
        Some("context_length_exceeded")
    );

    let role = refused(
        &edge,
        json!({"messages": [{"role": "stranger", "content": "Hi"}]}),
    )
    .await;
    assert!(
        role.to_api().message.contains("Unknown role stranger"),
        "{role}"
    );

    let mut own = question("Hi");
    own["chat_template"] = "{{ messages }}".into();
    assert_eq!(
        refused(&edge, own).await.to_api().code.as_deref(),
        Some("template_not_allowed")
    );

    let mut schema = question("Hi");
    schema["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "x", "strict": true,
        "schema": {"type": "no such type"}}});
    assert_eq!(
        refused(&edge, schema).await.to_api().code.as_deref(),
        Some("invalid_schema")
    );

    let foreign = completion_request(json!({"prompt": [1, 4_000_000]}));
    let error = edge.ask(foreign).await.expect_err("a refusal");
    assert_eq!(error.to_api().param.as_deref(), Some("prompt[1]"));
    assert_eq!(edge.engine.stats().requests, 0);
}

#[tokio::test]
async fn an_answer_has_so_many_choices_and_no_more() {
    let edge = Edge::start(&[]).await;
    for (prompts, n, all) in [
        (1, u32::MAX, u64::from(u32::MAX)),
        (257, 1, 257),
        (129, 2, 258),
    ] {
        let body = json!({"prompt": vec!["x"; prompts], "max_tokens": 1, "n": n});
        let error = edge
            .ask(completion_request(body))
            .await
            .expect_err("a refusal");
        assert_eq!(error.to_api().code.as_deref(), Some("too_many_choices"));
        assert!(error.to_api().message.contains(&all.to_string()), "{error}");
    }
    let none = edge
        .ask(completion_request(json!({"prompt": [], "max_tokens": 1})))
        .await;
    assert_eq!(
        none.expect_err("a refusal").to_api().code.as_deref(),
        Some("invalid_prompt")
    );
    assert_eq!(edge.engine.stats().requests, 0);

    let most = completion_request(json!({"prompt": vec!["x"; 128], "max_tokens": 1, "n": 2}));
    let answer = gathered(edge.ask(most).await.expect("an answer")).await;
    assert_eq!(answer.expect("it does not break").choices.len(), 256);
}

#[tokio::test]
async fn wishes_that_nobody_can_fulfil_are_named() {
    let edge = Edge::start(&[]).await;
    let wish = completion_request(json!({"prompt": "The river", "suffix": "sea"}));
    let error = edge.ask(wish).await.expect_err("a refusal");
    assert_eq!(error.to_api().param.as_deref(), Some("suffix"), "{error}");
    assert_eq!(edge.engine.stats().requests, 0);
}
