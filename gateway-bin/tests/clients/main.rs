//! Clients that people use, against the binary in front of simulated engines.
//!
//! Each holds conversations with tools and streams, served by tokens: the engine sees token ids alone and says what
//! `rules.json` tells it to. A client that had to repeat a request or gave up a feature has not been served, so what
//! arrived is counted at the gateway and at the engine. The packages are pinned, and fetched once.
//!
//! `docs/compatibility.md` says what was tried; the tests compare it with what they saw.
//! `cargo test -p gateway-bin --test clients -- --ignored` writes it.

mod agents;
mod gateway;
mod libraries;
mod matrix;
mod packages;
mod rig;
mod script;
mod suite;

use matrix::Row;

/// Every client, in the order of the table.
const CLIENTS: [fn() -> Row; 9] = [
    libraries::openai_chat,
    libraries::openai_responses,
    libraries::openai_agents,
    libraries::anthropic,
    libraries::ai_chat,
    libraries::ai_responses,
    libraries::ai_anthropic,
    agents::claude_code,
    agents::codex,
];

#[test]
fn the_openai_client_for_python_chats() {
    matrix::check(&libraries::openai_chat());
}

#[test]
fn the_openai_client_for_python_makes_responses() {
    matrix::check(&libraries::openai_responses());
}

#[test]
fn the_agents_sdk_runs_a_loop_of_two_tools() {
    matrix::check(&libraries::openai_agents());
}

#[test]
fn the_anthropic_client_for_python_is_served() {
    matrix::check(&libraries::anthropic());
}

#[test]
fn the_ai_sdk_chats() {
    matrix::check(&libraries::ai_chat());
}

#[test]
fn the_ai_sdk_makes_responses() {
    matrix::check(&libraries::ai_responses());
}

#[test]
fn the_ai_sdk_sends_messages() {
    matrix::check(&libraries::ai_anthropic());
}

#[test]
fn claude_code_works_and_remembers() {
    matrix::check(&agents::claude_code());
}

#[test]
fn codex_works_and_remembers() {
    matrix::check(&agents::codex());
}

#[test]
fn the_table_has_no_other_rows() {
    matrix::check_frame(CLIENTS.len());
}

#[test]
#[ignore = "writes docs/compatibility.md"]
fn write_table() {
    let rows: Vec<Row> = CLIENTS.iter().map(|run| run()).collect();
    matrix::write(&rows);
}
