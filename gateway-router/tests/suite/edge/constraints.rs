//! Answers that are held to a form, and reasoning that is held to a budget.

use gateway_router::proto::ir::Finish;
use serde_json::{Value, json};

use super::{Edge, question, with_tool};

/// A schema that the scripted answers fit.
pub(super) fn city_schema(strict: bool) -> Value {
    json!({"type": "json_schema", "json_schema": {"name": "city", "strict": strict, "schema": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false}}})
}

const THOUGHT: &str =
    "<think>\nLet me think about this for a good while, turning it over and over.\n</think>\n\n";

#[tokio::test]
async fn a_form_is_enforced_from_where_reasoning_ends() {
    let reply = format!("{THOUGHT}{{\"city\": \"Oslo\"}}");
    let edge = Edge::start(&[("where", &reply)]).await;
    let mut body = question("where?");
    body["response_format"] = city_schema(true);
    let answer = edge.chat(body).await;
    let choice = &answer.choices[0];
    assert!(choice.reasoning().contains("turning it over"), "{choice:?}");
    assert_eq!(choice.text(), "{\"city\": \"Oslo\"}");
    assert_eq!(
        (&choice.finish, &choice.violation),
        (&Some(Finish::Stop), &None)
    );
    let last: Value = serde_json::from_slice(&edge.engine.last_request().body).expect("JSON");
    let asked = last.to_string();
    assert!(
        asked.contains("additionalProperties"),
        "the second call carries the schema: {asked}"
    );
    assert!(answer.usage.reasoning_tokens.is_some_and(|count| count > 5));
}

#[tokio::test]
async fn a_broken_promise_is_told() {
    let edge = Edge::start(&[("where", "<think>\nHm.\n</think>\n\n{\"town\": 7}")]).await;
    let mut body = question("where?");
    body["response_format"] = city_schema(true);
    let choice = edge.say(body.clone()).await;
    let violation = choice.violation.expect("it breaks the schema");
    assert!(violation.contains("schema"), "{violation}");
    assert!(
        !violation.contains("town\": 7"),
        "values stay out of it: {violation}"
    );
    body["response_format"] = city_schema(false);
    assert_eq!(
        edge.say(body).await.violation,
        None,
        "nobody asked for strictness"
    );
}

#[tokio::test]
async fn a_forced_call_comes_as_a_call_whatever_the_family_writes() {
    let reply =
        format!("{THOUGHT}[{{\"name\": \"look_up\", \"parameters\": {{\"city\": \"Oslo\"}}}}]");
    let edge = Edge::start(&[("weather", &reply)]).await;
    for choice in [
        json!("required"),
        json!({"type": "function", "function": {"name": "look_up"}}),
    ] {
        let mut body = with_tool("weather?");
        body["tool_choice"] = choice;
        let choice = edge.say(body).await;
        let calls: Vec<_> = choice.calls().collect();
        assert_eq!(calls.len(), 1, "{choice:?}");
        assert_eq!(calls[0].name, "look_up");
        let arguments: Value = serde_json::from_str(&calls[0].arguments).expect("JSON");
        assert_eq!(arguments, json!({"city": "Oslo"}));
        assert_eq!(choice.finish, Some(Finish::ToolCalls));
        assert_eq!(choice.text().trim(), "");
    }
}

#[tokio::test]
async fn reasoning_is_closed_at_its_budget_and_the_answer_goes_on() {
    let long = format!(
        "<think>\n{}\n</think>\n\nForty-two.",
        "And then I wonder again. ".repeat(60)
    );
    let edge = Edge::start(&[("Why", &long)]).await;
    let mut body = question("Why?");
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 20});
    let answer = edge.chat(body).await;
    let choice = &answer.choices[0];
    assert_eq!(choice.text().trim(), "Forty-two.");
    let count = answer.usage.reasoning_tokens.expect("counted");
    assert!((20..24).contains(&count), "{count}");
    assert!(answer.usage.completion_tokens < 60, "{:?}", answer.usage);
}

#[tokio::test]
async fn no_reasoning_is_asked_for_through_the_template() {
    let reply = "<think>\n\n</think>\n\nForty-two.";
    let edge = Edge::start(&[("Why", reply)]).await;
    let mut body = question("Why?");
    body["reasoning_effort"] = "none".into();
    let answer = edge.chat(body).await;
    assert_eq!(answer.choices[0].text(), "Forty-two.");
    assert_eq!(answer.choices[0].reasoning(), "");
}

#[tokio::test]
async fn each_choice_is_continued_by_itself() {
    let reply = format!("{THOUGHT}{{\"city\": \"Oslo\"}}");
    let edge = Edge::start(&[("where", &reply)]).await;
    let mut body = question("where?");
    body["response_format"] = city_schema(true);
    body["n"] = 3.into();
    let answer = edge.chat(body).await;
    assert_eq!(answer.choices.len(), 3);
    assert!(
        answer
            .choices
            .iter()
            .all(|one| one.text() == "{\"city\": \"Oslo\"}")
    );
}
