//! `POST /v1/responses/compact`: a conversation in short.
//!
//! The model is asked to sum up all but the newest turn. The compaction item that comes back reads as that question, its
//! answer, and the newest turn as it was, so that every template takes what it stands for.

use std::sync::Arc;

use gateway_proto::{
    dialect::DialectError,
    error::ApiError,
    ir::{Answer, Content, Fields, Format, Head, Message, Prompt, ToolChoice, Usage},
    responses::{Compaction, Item, ResponsesRequest, decode_request},
};
use gateway_router::ReplyBody;
use http::Response;
use serde_json::json as value;

use super::{
    fault::invalid,
    history::{read, resolve},
    serve::json,
    truncate,
};
use crate::{
    clock,
    gate::{Gate, Rules},
    serve::{
        answer::{self, Question},
        error_reply::Refusal,
        request_id::RequestId,
    },
};

/// What the model is asked.
const SUM_UP: &str = "Sum up our conversation so far so that it can go on from the summary alone. Keep what I want, \
    decisions, facts, names, numbers, results of tools, and what is still to be done. Write the summary and nothing else.";

/// Puts a conversation in short.
///
/// # Errors
/// Where the request is wrong, or no engine served it.
pub(super) async fn compact(
    gate: &Arc<Gate>,
    rules: &Rules,
    question: Question,
    id: &RequestId,
) -> Result<Response<ReplyBody>, Refusal> {
    let mut decoded = decode_request(&question.body).map_err(invalid)?;
    let past = resolve(&gate.responses, &question.owner, &mut decoded, None).await?;
    let mut items = read(&past.items)?;
    items.append(&mut decoded.input);
    let seed = gate.ids.fresh();
    for (number, item) in items.iter_mut().enumerate() {
        item.name(&seed, number);
    }
    let newest = items.split_off(newest_turn(&items));
    let (mut folded, usage) = if items.is_empty() {
        (Vec::new(), Usage::default())
    } else {
        let (summary, usage) = summary(gate, rules, question, id, (decoded, &items)).await?;
        (exchange(&summary)?, usage)
    };
    folded.extend(newest);
    let created = clock::unix_seconds().unsigned_abs();
    let compaction = Compaction::new(&seed, created, Vec::new(), &folded, usage);
    Ok(json(compaction.to_json()))
}

/// Where the newest turn begins: with the user's last message.
fn newest_turn(items: &[Item]) -> usize {
    items.iter().rposition(is_of_user).unwrap_or(items.len())
}

fn is_of_user(item: &Item) -> bool {
    let fields: Option<Fields> = serde_json::from_str(item.json()).ok();
    fields.is_some_and(|fields| fields.raw("role") == Some("\"user\""))
}

/// What the model says of `older`, and what that cost.
async fn summary(
    gate: &Gate,
    rules: &Rules,
    question: Question,
    id: &RequestId,
    (mut decoded, older): (ResponsesRequest, &[Item]),
) -> Result<(String, Usage), Refusal> {
    decoded.input.clear();
    decoded.resolve(older, &[]).map_err(invalid)?;
    let served = rules.served(&decoded.request.model);
    let mut request = decoded.request;
    if let Prompt::Messages(messages) = &mut request.prompt {
        messages.push(Message {
            role: "user".to_owned(),
            content: Some(Content::Text(SUM_UP.to_owned())),
            ..Message::default()
        });
    }
    // The tools stay, since templates tell of them in front, but none may be called.
    request.tool_choice = ToolChoice::None;
    request.format = Format::default();
    request = truncate::fit(&served, request).await?;
    let asked = answer::ask(gate, question, Arc::new(request), &served, &id.text);
    let mut events = asked.await?.events;
    let mut answer = Answer::new(Head::default());
    while let Some(event) = answer::next(&mut events).await {
        answer.push(event).map_err(|error| answer::broken(*error))?;
    }
    let said = answer.choices.first().map(|choice| choice.text());
    let said = said.unwrap_or_default().trim().to_owned();
    if said.is_empty() {
        let message = "The model did not sum the conversation up. Try again.";
        return Err(answer::broken(ApiError::upstream(message)));
    }
    Ok((said, answer.usage))
}

/// The question and its answer, as items.
fn exchange(summary: &str) -> Result<Vec<Item>, Refusal> {
    let items = [
        value!({"type": "message", "role": "user", "content": SUM_UP}),
        value!({"type": "message", "role": "assistant", "content": summary}),
    ];
    let items: Result<Vec<Item>, DialectError> = items
        .iter()
        .map(|item| Item::from_json(&item.to_string()))
        .collect();
    items.map_err(invalid)
}
