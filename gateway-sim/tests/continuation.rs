//! An answer that is continued from its own tokens, or its own text, goes on as it would have undisturbed.

mod support;

use gateway_sim::engine::RunningEngine;
use serde_json::{Value, json};
use support::*;

const LIMIT: usize = 24;

/// The tokens of each choice.
async fn generate(engine: &RunningEngine, ids: &[u64], more: &Value) -> Vec<Vec<u64>> {
    let mut parameters = json!({"temperature": 1.0, "seed": 7, "ignore_eos": true});
    for (name, value) in more.as_object().expect("an object") {
        parameters[name] = value.clone();
    }
    let body = json!({"model": "demo", "token_ids": ids, "sampling_params": parameters});
    let reply = fetch(engine, post("/inference/v1/generate", &body))
        .await
        .json();
    let choices = reply["choices"].as_array().expect("choices");
    let tokens = choices.iter().map(|choice| {
        let ids = choice["token_ids"].as_array().expect("ids").iter();
        ids.map(|id| id.as_u64().expect("an id")).collect()
    });
    tokens.collect()
}

#[tokio::test]
async fn each_choice_goes_on_from_any_of_its_tokens_on_another_engine() {
    let (first, second) = (start(config()).await, start(config()).await);
    let prompt = [900, 901, 902];
    let wholes = generate(&first, &prompt, &json!({"n": 3, "max_tokens": LIMIT})).await;
    assert!(wholes[0] != wholes[1] && wholes[1] != wholes[2]);
    for whole in wholes {
        for cut in 1..LIMIT {
            let begun = [&prompt[..], &whole[..cut]].concat();
            let rest = generate(&second, &begun, &json!({"max_tokens": LIMIT - cut})).await;
            assert_eq!(rest[0], whole[cut..], "cut at {cut}");
        }
    }
}

#[tokio::test]
async fn an_answer_by_text_goes_on_from_its_beginning() {
    let engine = start(config()).await;
    let content = |reply: Reply| reply.json()["choices"][0]["message"]["content"].clone();
    let more = json!({"max_tokens": LIMIT, "ignore_eos": true});
    let whole = content(post_chat(&engine, "Go on.", more).await);
    let whole = whole.as_str().expect("text");
    for (cut, _) in whole.match_indices(' ') {
        let messages = json!([{"role": "user", "content": "Go on."},
            {"role": "assistant", "content": whole[..cut]}]);
        let body = json!({"model": "demo", "messages": messages, "max_tokens": LIMIT, "ignore_eos": true,
            "add_generation_prompt": false, "continue_final_message": true});
        let rest = content(fetch(&engine, post("/v1/chat/completions", &body)).await);
        let rest = rest.as_str().expect("text");
        assert!(
            rest.starts_with(&whole[cut..]),
            "{rest} after {}",
            &whole[..cut]
        );
    }
}
