//! Conversations.

use std::collections::HashSet;

use super::CheckError;
use crate::ir::Message;

const ROLES: [&str; 5] = ["system", "developer", "user", "assistant", "tool"];

pub(super) fn check(messages: &[Message]) -> Result<(), CheckError> {
    if messages.is_empty() {
        let todo = "Send at least one message";
        return Err(CheckError::new("messages", "it is empty", todo));
    }
    let mut called = HashSet::new();
    for (at, message) in messages.iter().enumerate() {
        role(at, message)?;
        content(at, message)?;
        calls(at, message, &mut called)?;
        result(at, message, &called)?;
    }
    Ok(())
}

fn role(at: usize, message: &Message) -> Result<(), CheckError> {
    if ROLES.contains(&message.role.as_str()) {
        return Ok(());
    }
    let shown: String = message.role.chars().take(64).collect();
    Err(CheckError::new(
        format!("messages[{at}].role"),
        format!("nobody has the role '{shown}'"),
        format!("Use one of {}", ROLES.join(", ")),
    ))
}

/// An assistant may have said nothing; everybody else speaks.
fn content(at: usize, message: &Message) -> Result<(), CheckError> {
    if message.content.is_some() || message.role == "assistant" {
        return Ok(());
    }
    let path = format!("messages[{at}].content");
    Err(CheckError::missing(path, "Say something in it"))
}

fn calls<'a>(
    at: usize,
    message: &'a Message,
    called: &mut HashSet<&'a str>,
) -> Result<(), CheckError> {
    if message.tool_calls.is_empty() {
        return Ok(());
    }
    let path = format!("messages[{at}].tool_calls");
    if message.role != "assistant" {
        let what = format!("a message of the role '{}' calls no tools", message.role);
        return Err(CheckError::new(path, what, "Leave it out"));
    }
    // Ids come back in later turns of models that count anew; within one turn results could not be told apart.
    let mut own = HashSet::new();
    for (nth, call) in message.tool_calls.iter().enumerate() {
        if call.name.is_empty() {
            let path = format!("{path}[{nth}].function.name");
            return Err(CheckError::new(path, "it is empty", "Name the function"));
        }
        if !own.insert(call.id.as_str()) {
            let path = format!("{path}[{nth}].id");
            let what = "another call of the message has the same id";
            return Err(CheckError::new(path, what, "Give each call its own id"));
        }
    }
    called.extend(own);
    Ok(())
}

fn result(at: usize, message: &Message, called: &HashSet<&str>) -> Result<(), CheckError> {
    if message.role != "tool" {
        return Ok(());
    }
    let path = format!("messages[{at}].tool_call_id");
    let Some(id) = &message.tool_call_id else {
        let todo = "Name the call that the message answers";
        return Err(CheckError::missing(path, todo));
    };
    if called.contains(id.as_str()) {
        return Ok(());
    }
    Err(CheckError::new(
        path,
        "no assistant's message before it made a call of this id",
        "Keep the message with the call in the conversation",
    ))
}
