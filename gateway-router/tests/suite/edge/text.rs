//! The engine's own chat route behind the same events.

use gateway_router::proto::ir::Finish;

use super::{Edge, chat_request, gathered, question};

#[tokio::test]
async fn an_engine_that_speaks_chat_gives_the_same_events() {
    let edge = Edge::start(&[("Hello", "Good morning.")]).await;
    let by_tokens = edge.chat(question("Hello")).await;
    let reply = edge.ask_by(chat_request(question("Hello")), None).await;
    let by_text = gathered(reply.expect("an answer"))
        .await
        .expect("it does not break");
    assert_eq!(by_text.choices[0].text(), by_tokens.choices[0].text());
    assert_eq!(by_text.choices[0].finish, Some(Finish::Stop));
    assert_eq!(by_text.usage.prompt_tokens, by_tokens.usage.prompt_tokens);
    assert_eq!(
        by_text.usage.completion_tokens,
        by_tokens.usage.completion_tokens
    );
}
