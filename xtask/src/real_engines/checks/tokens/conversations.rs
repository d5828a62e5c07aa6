//! Conversations that show what a chat template can be asked for.

use serde_json::{Value, json};

use super::super::MODEL;

const MAX_TOKENS: u32 = 24;

/// Greedy requests for an answer's token ids, one for each thing that templates treat in a way of their own.
pub(super) fn all() -> Vec<Value> {
    let mut all = plain();
    all.extend(with_tools());
    all.extend(with_reasoning());
    all.extend(unfinished());
    all
}

/// A greedy request of one user message that need not reason.
pub(super) fn unreasoned(content: &str) -> Value {
    let switch = json!({ "chat_template_kwargs": { "enable_thinking": false } });
    greedy(&[user(content)], switch)
}

/// A tool with a schema that a small answer fits.
pub(super) fn weather() -> Value {
    json!({ "type": "function", "function": {
        "name": "weather",
        "description": "The weather in a <town> & \"around\" it, in °C",
        "parameters": {
            "type": "object",
            "properties": {
                "town": { "type": "string", "enum": ["Oslo", "Zürich"] },
                "days": { "type": "integer", "minimum": 1, "maximum": 9 },
            },
            "required": ["town", "days"],
            "additionalProperties": false,
        },
    } })
}

pub(super) fn user(content: &str) -> Value {
    json!({ "role": "user", "content": content })
}

fn plain() -> Vec<Value> {
    let system = json!({ "role": "system", "content": "Be brief. 请简短回答。" });
    let answer = json!({ "role": "assistant", "content": "Hello! 🦀" });
    let parts = json!({ "role": "user", "content": [
        { "type": "text", "text": "one part" },
        { "type": "text", "text": "another part" },
    ] });
    let messages: [&[Value]; 6] = [
        &[user("Name three rivers.")],
        &[system.clone(), user("Wie spät ist es in Zürich?")],
        &[user("Hi"), answer.clone(), user("  And now?\n\n")],
        &[system, user("写一首关于秋天的诗"), answer, user("Weiter")],
        &[user("emoji 🦀🦀, \"quotes\" \\ and <|im_end|> within")],
        &[parts],
    ];
    let plain = |messages| greedy(messages, json!({}));
    messages.into_iter().map(plain).collect()
}

fn with_tools() -> Vec<Value> {
    let clock = json!({ "type": "function", "function": {
        "name": "clock", "description": "The time", "parameters": { "type": "object", "properties": {} },
    } });
    let asked = user("How is the weather?");
    let result =
        json!({ "role": "tool", "tool_call_id": "call_1", "content": "{\"sky\": \"grau\"}" });
    let mut again = result.clone();
    again["tool_call_id"] = "call_2".into();
    let both = json!({ "tools": [weather(), clock] });
    vec![
        greedy(std::slice::from_ref(&asked), both.clone()),
        greedy(
            &[asked.clone(), call(1), result.clone()],
            json!({ "tools": [weather()] }),
        ),
        greedy(&[asked, call(2), result, again, user("Thanks")], both),
    ]
}

/// An assistant's message of `count` calls.
fn call(count: u32) -> Value {
    let calls: Vec<Value> = (1..=count)
        .map(|number| {
            json!({ "id": format!("call_{number}"), "type": "function", "function": {
                "name": "weather", "arguments": "{\"town\": \"Zürich\", \"days\":2}",
            } })
        })
        .collect();
    json!({ "role": "assistant", "content": "Let me see.", "tool_calls": calls })
}

fn with_reasoning() -> Vec<Value> {
    let thinking = |on: bool| json!({ "chat_template_kwargs": { "enable_thinking": on } });
    let tagged = json!({ "role": "assistant", "content": "<think>\nlong\n</think>\n\nYes." });
    let apart = json!({ "role": "assistant", "content": "Yes.", "reasoning": "well" });
    let turn = |answer: Value| greedy(&[user("Sure?"), answer, user("Really?")], json!({}));
    vec![
        greedy(&[user("Think hard.")], thinking(true)),
        greedy(&[user("Think hard.")], thinking(false)),
        turn(tagged),
        turn(apart),
    ]
}

/// Answers that the caller has begun.
fn unfinished() -> Vec<Value> {
    let goes_on = json!({ "continue_final_message": true, "add_generation_prompt": false });
    let begun = |text: &str| json!({ "role": "assistant", "content": text });
    vec![
        greedy(&[user("Count."), begun("One, two,")], goes_on.clone()),
        greedy(&[user("Count."), begun("<think>\nFirst")], goes_on),
    ]
}

fn greedy(messages: &[Value], options: Value) -> Value {
    let mut body = json!({
        "model": MODEL,
        "messages": messages,
        "max_tokens": MAX_TOKENS,
        "temperature": 0,
        "return_token_ids": true,
    });
    let Value::Object(options) = options else {
        return body;
    };
    for (name, value) in options {
        body[name] = value;
    }
    body
}
