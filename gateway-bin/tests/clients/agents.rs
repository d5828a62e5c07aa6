//! Coding agents, run without a terminal: each really runs the command that the model calls for, and in a second run
//! goes on with the conversation.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    matrix::Row,
    packages,
    rig::{KEY, MODEL, Rig},
    script::{Told, said},
};

const TASK: &str = "Create hello.txt with one line in it.";
const DONE: &str = "There is hello.txt now.";
const AGAIN: &str = "Which file did you make?";
const ANSWER_AGAIN: &str = "I made hello.txt.";

pub(crate) fn claude_code() -> Row {
    let rig = Rig::scripted();
    let program = packages::claude_code();
    let run = |arguments: &[&str]| -> Value {
        let mut command = bare(&program, &rig);
        command
            .envs([
                ("ANTHROPIC_BASE_URL", rig.gateway.url().as_str()),
                ("ANTHROPIC_API_KEY", KEY),
                ("DISABLE_TELEMETRY", "1"),
                ("DISABLE_ERROR_REPORTING", "1"),
                ("DISABLE_AUTOUPDATER", "1"),
                ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
            ])
            .args(["--model", MODEL, "--output-format", "json"])
            .args(["--allowedTools", "Bash"])
            .args(arguments);
        serde_json::from_str(&said(&mut command)).expect("a JSON result")
    };
    let first = run(&["--print", TASK]);
    assert_eq!(first["is_error"], false, "{first}");
    assert_eq!(first["result"], DONE, "{first}");
    assert_eq!(first["num_turns"], 2, "{first}");
    check_file(&rig);
    let second = run(&["--continue", "--print", AGAIN]);
    assert_eq!(second["result"], ANSWER_AGAIN, "{second}");
    rig.expect(&[("messages", 200, 3)], 3);
    check_history(&rig);
    let version = said(bare(&program, &rig).arg("--version"));
    row(
        "Claude Code, `--print`",
        &version.replace(" (Claude Code)", ""),
        &rig,
    )
}

pub(crate) fn codex() -> Row {
    let rig = Rig::scripted();
    let home = rig.folder.path().join("codex");
    fs::create_dir(&home).expect("a folder");
    fs::write(home.join("config.toml"), codex_settings(&rig)).expect("written");
    let run = |arguments: &[&str]| -> String {
        let mut command = packages::codex();
        confine(&mut command, &rig);
        command
            .env("CODEX_HOME", &home)
            .env("GATEWAY_KEY", KEY)
            .arg("exec")
            .args(["--skip-git-repo-check", "--json"])
            .args(["--sandbox", "danger-full-access"])
            .args(arguments);
        said(&mut command)
    };
    let first = run(&[TASK]);
    assert_eq!(last_message(&first), DONE, "{first}");
    check_file(&rig);
    let second = run(&["resume", "--last", AGAIN]);
    assert_eq!(last_message(&second), ANSWER_AGAIN, "{second}");
    rig.expect(&[("responses", 200, 3)], 3);
    check_history(&rig);
    let mut command = packages::codex();
    confine(&mut command, &rig);
    let version = said(command.arg("--version"));
    row("Codex, `exec`", &version.replace("codex-cli ", ""), &rig)
}

fn codex_settings(rig: &Rig) -> String {
    format!(
        "model = \"{MODEL}\"\n\
         model_provider = \"gateway\"\n\
         [model_providers.gateway]\n\
         name = \"gateway\"\n\
         base_url = \"{}/v1\"\n\
         env_key = \"GATEWAY_KEY\"\n\
         wire_api = \"responses\"\n\
         request_max_retries = 0\n\
         stream_max_retries = 0\n",
        rig.gateway.url()
    )
}

/// The text of the last message among Codex' events, of which none may be an error.
fn last_message(events: &str) -> String {
    let mut text = String::new();
    for line in events.lines() {
        let event: Value = serde_json::from_str(line).expect("JSON lines");
        let kind = event["type"].as_str().expect("a type");
        assert!(
            !kind.contains("error") && !kind.contains("failed"),
            "{event}"
        );
        if let ("agent_message", Some(said)) = (
            event["item"]["type"].as_str().unwrap_or_default(),
            event["item"]["text"].as_str(),
        ) {
            text = said.trim().to_owned();
        }
    }
    text
}

/// What the tool's command wrote.
fn check_file(rig: &Rig) {
    let made = fs::read_to_string(work(rig).join("hello.txt")).expect("the agent made the file");
    assert_eq!(made, "hello\n");
}

/// The last prompt must hold the whole conversation, the call included.
fn check_history(rig: &Rig) {
    let prompt = rig.last_prompt();
    for part in [
        TASK,
        "echo hello > hello.txt",
        "<tool_response>",
        DONE,
        AGAIN,
    ] {
        assert!(prompt.contains(part), "no `{part}` in {prompt}");
    }
}

fn row(client: &'static str, version: &str, rig: &Rig) -> Row {
    let told = Told {
        version: version.trim().to_owned(),
        did: vec![
            "ran a command that the model called for".to_owned(),
            "second turn in another run".to_owned(),
        ],
    };
    Row::new(client, told, rig)
}

/// A program that sees nothing of the account that runs the tests.
fn bare(program: &Path, rig: &Rig) -> Command {
    let mut command = Command::new(program);
    confine(&mut command, rig);
    command
}

fn confine(command: &mut Command, rig: &Rig) {
    let path = std::env::var_os("PATH").expect("a search path");
    command
        .env_clear()
        .env("PATH", path)
        .env("HOME", rig.folder.path())
        .current_dir(work(rig));
}

fn work(rig: &Rig) -> PathBuf {
    let work = rig.folder.path().join("work");
    fs::create_dir_all(&work).expect("a folder");
    work
}
