//! The OpenAI client for Python through all that can go well or wrong; the tests themselves are in `python/suite`.

use gateway_govern::keys::KeyHash;
use gateway_sim::{engine::RunningEngine, text::Script};
use serde_json::json;

use crate::{
    packages::python,
    rig::{Engines, KEY, Rig},
    script::said,
};

const LIMITED_KEY: &str = "client-tests-elsewhere";
const MODEL: &str = "steady";
const FAULTY_MODEL: &str = "faulty";

#[test]
fn the_openai_client_for_python_is_served_by_text() {
    tests(
        None,
        &["discover", "--verbose", "--start-directory", "suite"],
    );
}

#[test]
fn the_openai_client_for_python_is_served_by_tokens() {
    // Requests that are given up must not be over before.
    let endless =
        json!({"when": "Say something about rivers", "reply": "They flow on. ".repeat(1_000)});
    let script = json!({"rules": [endless]}).to_string();
    tests(
        Some(Script::parse(script.as_bytes()).expect("a rule")),
        &[
            "--verbose",
            "test_openai_cancel",
            "test_openai_chat",
            "test_openai_errors",
            "test_openai_tools",
            "test_openai_completions",
        ],
    );
}

fn tests(script: Option<Script>, arguments: &[&str]) {
    let limited = KeyHash::of(LIMITED_KEY);
    let rig = Rig::start(&Engines {
        models: &[(MODEL, 2), (FAULTY_MODEL, 1)],
        speed: 1.0,
        script,
        keys: format!("  - {{ name: limited, hash: \"{limited}\", models: [elsewhere] }}\n"),
    });
    let urls: Vec<String> = rig.engines.iter().map(RunningEngine::url).collect();
    let mut command = python();
    command.args(["-m", "unittest"]).args(arguments);
    said(
        command
            .env("PYTHONPATH", "suite")
            .env("GATEWAY_URL", rig.gateway.url())
            .env("GATEWAY_KEY", KEY)
            .env("GATEWAY_LIMITED_KEY", LIMITED_KEY)
            .env("GATEWAY_MODEL", MODEL)
            .env("GATEWAY_ENGINES", urls[..2].join(","))
            .env("GATEWAY_FAULTY_MODEL", FAULTY_MODEL)
            .env("GATEWAY_FAULTY_ENGINE", &urls[2]),
    );
}
