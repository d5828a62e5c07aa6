//! Client libraries, each with a script.

use std::process::Command;

use crate::{
    matrix::Row,
    packages::{node, python},
    rig::{Answered, Rig},
    script,
};

/// The form of an answer is enforced once the model has reasoned, by a second call to the engine. Scripts that ask for a
/// form do so once.
const FORMS: u64 = 1;

pub(crate) fn openai_chat() -> Row {
    let requests = [("chat_completions", 200, 11), ("completions", 200, 2)];
    by_python(
        "`openai` for Python, chat",
        "chat.py",
        &requests,
        13 + FORMS,
    )
}

pub(crate) fn openai_responses() -> Row {
    let (client, requests) = ("`openai` for Python, Responses", [("responses", 200, 11)]);
    by_python(client, "responses.py", &requests, 11 + FORMS)
}

pub(crate) fn openai_agents() -> Row {
    let requests = [("chat_completions", 200, 8), ("responses", 200, 8)];
    by_python("`openai-agents` for Python", "agents_sdk.py", &requests, 16)
}

pub(crate) fn anthropic() -> Row {
    // The tool runner would have the gateway keep the conversation, and goes on without when that is refused.
    let requests = [
        ("messages", 200, 15),
        ("messages", 400, 1),
        ("count_tokens", 200, 1),
    ];
    by_python(
        "`anthropic` for Python",
        "messages.py",
        &requests,
        15 + FORMS,
    )
}

pub(crate) fn ai_chat() -> Row {
    let requests = [("chat_completions", 200, 9)];
    by_node(
        "AI SDK, `@ai-sdk/openai` chat",
        "chat.mjs",
        &requests,
        9 + FORMS,
    )
}

pub(crate) fn ai_responses() -> Row {
    let (client, requests) = (
        "AI SDK, `@ai-sdk/openai` Responses",
        [("responses", 200, 9)],
    );
    by_node(client, "responses.mjs", &requests, 9 + FORMS)
}

pub(crate) fn ai_anthropic() -> Row {
    let (client, requests) = ("AI SDK, `@ai-sdk/anthropic`", [("messages", 200, 9)]);
    by_node(client, "messages.mjs", &requests, 9 + FORMS)
}

fn by_python(client: &'static str, file: &str, requests: &[Answered], generations: u64) -> Row {
    let rig = Rig::scripted();
    served(client, python().arg(file), &rig, requests, generations)
}

fn by_node(client: &'static str, file: &str, requests: &[Answered], generations: u64) -> Row {
    let rig = Rig::scripted();
    let mut command = node(file, rig.folder.path());
    served(client, &mut command, &rig, requests, generations)
}

fn served(
    client: &'static str,
    command: &mut Command,
    rig: &Rig,
    requests: &[Answered],
    generations: u64,
) -> Row {
    let told = script::run(command, rig);
    rig.expect(requests, generations);
    Row::new(client, told, rig)
}
