//! What a conversation brings back.

use gateway_router::proto::ir::{Block, Finish, StopCause};
use serde_json::json;

use super::{Edge, completion_request, gathered, question, with_tool};

const CALL: &str = "I will look.\n<tool_call>\n{\"name\": \"look_up\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>";

#[tokio::test]
async fn text_comes_back_with_what_it_cost() {
    let edge = Edge::start(&[("Hello", "Good morning! Übung — 你好.")]).await;
    let answer = edge.chat(question("Hello")).await;
    let choice = &answer.choices[0];
    assert_eq!(choice.text(), "Good morning! Übung — 你好.");
    assert_eq!(choice.finish, Some(Finish::Stop));
    assert_eq!(answer.head.prompt_tokens, Some(answer.usage.prompt_tokens));
    assert!(answer.usage.completion_tokens > 5);
    assert_eq!(answer.usage.reasoning_tokens, Some(0));
}

#[tokio::test]
async fn reasoning_and_calls_are_told_apart_in_their_order() {
    let reply = format!("<think>\nHm, Oslo.\n</think>\n\n{CALL}");
    let edge = Edge::start(&[("weather", &reply)]).await;
    let answer = edge.chat(with_tool("weather?")).await;
    let [
        Block::Reasoning { text, .. },
        Block::Text(said),
        Block::Call(call),
    ] = &answer.choices[0].blocks[..]
    else {
        panic!("{:?}", answer.choices[0].blocks);
    };
    assert_eq!((text.trim(), said.trim()), ("Hm, Oslo.", "I will look."));
    assert_eq!(
        (&*call.name, &*call.arguments),
        ("look_up", "{\"city\": \"Oslo\"}")
    );
    assert!(call.id.starts_with("call_"), "{}", call.id);
    assert_eq!(answer.choices[0].finish, Some(Finish::ToolCalls));
    assert!(
        answer
            .usage
            .reasoning_tokens
            .is_some_and(|count| count >= 4)
    );
}

#[tokio::test]
async fn what_looks_like_a_call_is_text_where_there_are_no_tools() {
    let edge = Edge::start(&[("weather", CALL)]).await;
    let choice = edge.say(question("weather?")).await;
    assert_eq!(choice.calls().count(), 0);
    assert!(choice.text().contains("look_up"), "{}", choice.text());
    let mut none = with_tool("weather?");
    none["tool_choice"] = "none".into();
    assert_eq!(edge.say(none).await.calls().count(), 0);
}

#[tokio::test]
async fn a_stop_text_ends_the_answer_and_the_engine() {
    let long = format!(
        "One two three. {}",
        "And so on it goes for ever. ".repeat(200)
    );
    let edge = Edge::start(&[("Count", &long)]).await;
    let mut body = question("Count");
    body["stop"] = json!(["three", "never"]);
    let answer = edge.chat(body).await;
    let choice = &answer.choices[0];
    assert_eq!(choice.text(), "One two ");
    assert_eq!(choice.stop, Some(StopCause::Text("three".to_owned())));
    assert!(answer.usage.completion_tokens < 20, "{:?}", answer.usage);
    edge.rig.assert_idle();
    assert!(
        edge.engine.model_metrics().generation_tokens < 500,
        "the engine was stopped"
    );
}

#[tokio::test]
async fn limits_end_an_answer_with_length() {
    let edge = Edge::start(&[("Count", "One two three four five six seven eight nine ten.")]).await;
    let mut body = question("Count");
    body["max_tokens"] = 4.into();
    let answer = edge.chat(body).await;
    assert_eq!(answer.choices[0].finish, Some(Finish::Length));
    assert_eq!(answer.usage.completion_tokens, 4);
}

#[tokio::test]
async fn several_choices_come_under_their_numbers() {
    let edge = Edge::start(&[("Hello", "Good morning.")]).await;
    let mut body = question("Hello");
    body["n"] = 3.into();
    let answer = edge.chat(body).await;
    let texts: Vec<_> = answer.choices.iter().map(|one| one.text()).collect();
    assert_eq!(texts, ["Good morning."; 3]);
}

#[tokio::test]
async fn completions_take_several_prompts_and_give_them_back() {
    let edge = Edge::start(&[]).await;
    let body = json!({"prompt": ["The river", "A stone"], "max_tokens": 8, "n": 2, "echo": true});
    let reply = edge.ask(completion_request(body)).await.expect("an answer");
    assert_eq!(reply.echo, ["The river", "A stone"]);
    let answer = gathered(reply).await.expect("it does not break");
    assert_eq!(answer.choices.len(), 4);
    assert!(answer.choices.iter().all(|one| !one.text().is_empty()));
    let ids = edge
        .model
        .tokenizer()
        .encode("The river", true)
        .expect("text");
    let by_ids = edge
        .ask(completion_request(json!({"prompt": ids, "max_tokens": 8})))
        .await;
    let by_ids = gathered(by_ids.expect("an answer"))
        .await
        .expect("it does not break");
    assert_eq!(by_ids.choices[0].text(), answer.choices[0].text());
}

#[tokio::test]
async fn an_echo_alone_needs_no_engine() {
    let edge = Edge::start(&[]).await;
    let body = json!({"prompt": "The river", "max_tokens": 0, "echo": true});
    let reply = edge.ask(completion_request(body)).await.expect("an answer");
    assert_eq!(reply.echo, ["The river"]);
    let answer = gathered(reply).await.expect("it does not break");
    assert_eq!(answer.choices[0].finish, Some(Finish::Length));
    assert!(answer.usage.prompt_tokens > 0);
    assert_eq!(edge.engine.stats().requests, 0);
    let told = edge.rig.reports.only_edge();
    assert_eq!(told.prompt_tokens, answer.usage.prompt_tokens);
    assert!(told.parser.is_some());
}

#[tokio::test]
async fn a_later_turn_finds_the_earlier_ones_encoded_and_cached() {
    let edge = Edge::start(&[
        ("bridge", "It was built in stages."),
        ("Hello", "Good morning."),
    ])
    .await;
    let long = "Tell me of the river and the bridge. ".repeat(40);
    let first = edge.chat(question(&long)).await;
    let before = edge.model.turn_cache();
    let second = edge
        .chat(json!({"messages": [
            {"role": "user", "content": long},
            {"role": "assistant", "content": first.choices[0].text()},
            {"role": "user", "content": "And then, Hello?"},
        ]}))
        .await;
    let after = edge.model.turn_cache();
    assert!(after.cached_tokens > before.cached_tokens, "{after:?}");
    assert!(
        second
            .usage
            .cached_tokens
            .is_some_and(|cached| cached >= 256),
        "{:?}",
        second.usage
    );
}

#[tokio::test]
async fn token_ids_and_log_probabilities_come_where_asked_for() {
    let edge = Edge::start(&[("Hello", "Good morning.")]).await;
    let mut body = question("Hello");
    body["return_token_ids"] = true.into();
    let choice = edge.say(body).await;
    let text = edge.model.text_of(&choice.token_ids);
    assert!(text.starts_with("Good morning."), "{text}");
}
