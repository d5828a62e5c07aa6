//! Models' files: refused at the start with the reason, and read again only where they have changed.

use std::{path::Path, time::Duration};

use gateway_bin::config::{self, Environment};
use serde_json::json;
use tempfile::TempDir;
use tokio::time;

use crate::{
    child::gateway,
    edge_rig::{self, CHAT, folder, models, post},
    rig,
};

/// A copy of the small model, to break.
fn copy() -> TempDir {
    let own = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(folder()).expect("the model") {
        let entry = entry.expect("a file");
        std::fs::copy(entry.path(), own.path().join(entry.file_name())).expect("copied");
    }
    own
}

/// What `gateway check` says of a configuration that it refuses.
fn refused(models: &str, kind: &str) -> String {
    let text =
        format!("endpoints:\n  - {{name: a, url: \"http://a:1\", models: [m]{kind}}}\n{models}");
    let (_folder, file) = crate::child::file(&text);
    let output = gateway().arg("check").arg(&file).output().expect("it runs");
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(!output.status.success(), "{said}");
    said
}

#[test]
fn good_files_are_fine() {
    let text = format!(
        "endpoints:\n  - {{name: a, url: \"http://a:1\", models: [m]}}\n{}",
        models(&folder(), "")
    );
    let (_folder, file) = crate::child::file(&text);
    let output = gateway().arg("check").arg(&file).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn broken_files_are_refused_with_the_reason() {
    let whole = std::fs::read(folder().join("tokenizer.json")).expect("a tokenizer");
    for (name, content, reason) in [
        (
            "tokenizer.json",
            &whole[..whole.len() / 2],
            "tokenizer.json",
        ),
        ("tokenizer.json", b"{\"a\": 1}", "tokenizer.json"),
        ("tokenizer_config.json", b"[", "tokenizer"),
        (
            "generation_config.json",
            b"{\"eos_token_id\": \"x\"}",
            "generation_config.json",
        ),
        ("config.json", b"{", "config.json"),
        ("config.json", b"{}", "context_tokens"),
        (
            "generation_config.json",
            b"{\"eos_token_id\": 4105}",
            "4105",
        ),
        ("chat_template.jinja", b"{% if %}", "template"),
        ("chat_template.jinja", b"\xff\xfe", "template"),
    ] {
        let own = copy();
        std::fs::write(own.path().join(name), content).expect("written");
        let said = refused(&models(own.path(), ""), "");
        assert!(
            said.contains("gateway.yaml:")
                && said.contains("models[0].tokens")
                && said.contains(reason),
            "{name}: {said}"
        );
    }
    let own = copy();
    std::fs::remove_file(own.path().join("tokenizer.json")).expect("removed");
    let said = refused(&models(own.path(), ""), "");
    assert!(
        said.contains("cannot read") && said.contains("tokenizer.json"),
        "{said}"
    );
}

#[test]
fn unknown_parsers_and_engines_without_tokens_are_refused() {
    let files = serde_json::to_string(&folder()).expect("a name");
    let strange =
        format!("models:\n  - name: m\n    tokens: {{files: {files}, parser: hermes9}}\n");
    let said = refused(&strange, "");
    assert!(
        said.contains("hermes9") && said.contains("kimi-k2"),
        "{said}"
    );
    let said = refused(&models(&folder(), ""), ", kind: tgi");
    assert!(
        said.contains("endpoints[0].kind") && said.contains("TGI takes no token ids"),
        "{said}"
    );
}

#[test]
fn models_are_kept_until_their_files_or_settings_change() {
    let own = copy();
    let text = |more: &str| {
        format!(
            "endpoints:\n  - {{name: a, url: \"http://a:1\", models: [m]}}\n{}{more}",
            models(own.path(), "")
        )
    };
    let name = Path::new("gateway.yaml");
    let read = |text: &str| config::read(text, name, &Environment::empty()).expect("valid");
    let first = read(&text("")).models;
    let again = |text: &str| {
        let config = config::read_again(text, name, &Environment::empty(), &first);
        config.expect("valid").models["m"]
            .tokens
            .clone()
            .expect("by tokens")
    };
    let model = first["m"].tokens.clone().expect("by tokens");
    let is_kept = |text: &str| std::sync::Arc::ptr_eq(&model, &again(text));
    assert!(is_kept(&text("")));
    assert!(is_kept(&text("    media: pass_through\n")));
    assert!(!is_kept(
        &text("").replace("tokens: {", "tokens: {stop: [x], ")
    ));
    std::fs::write(
        own.path().join("config.json"),
        "{\"max_position_embeddings\": 99}\n",
    )
    .expect("written");
    assert!(!is_kept(&text("")));
    assert_eq!(again(&text("")).context_tokens(), 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_keeps_what_models_remember() {
    let engine = edge_rig::engine("x").await;
    let engines = std::slice::from_ref(&engine);
    let text = rig::yaml(engines, "", &models(&folder(), ""));
    let (_folder, file) = crate::child::file(&text);
    let gateway = rig::start_reloading(&text, &file).await;
    let body = json!({"model": "m", "max_tokens": 2, "messages": [{"role": "user", "content": "hi ".repeat(400)}]});
    let chat = || post(gateway.addr(), CHAT, &[], body.to_string());
    assert_eq!(chat().await.status, 200);
    std::fs::write(&file, format!("{text}    media: pass_through\n")).expect("written");
    let metric = |line: &str| gateway.metrics().lines().any(|found| found == line);
    while !metric("gateway_reloads_total{result=\"taken\"} 1") {
        time::sleep(Duration::from_millis(20)).await;
    }
    assert!(
        !metric("gateway_turn_cache_entries{model=\"m\"} 0"),
        "{}",
        gateway.metrics()
    );
    assert_eq!(chat().await.status, 200);
}
