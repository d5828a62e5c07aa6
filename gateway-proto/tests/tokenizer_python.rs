//! Ids and texts are those of the Python packages `transformers` and `tokenizers`.
#![allow(
    clippy::unwrap_used,
    reason = "a test that lacks what it needs has failed"
)]
#![cfg(feature = "text")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use gateway_proto::text::detokenize::{DetokenizeOptions, Detokenizer};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde::Deserialize;
use serde_json::json;

mod tokenizer;
use tokenizer::{MODELS, Model, TEXTS, content};

/// Random texts per tokenizer, the same in every run.
const RANDOM: usize = 60;

#[derive(Deserialize)]
struct Expected {
    plain: Vec<u32>,
    whole: Vec<u32>,
    kept: String,
    skipped: String,
}

/// Texts for all tokenizers: those that are hard on any, with the added tokens of each.
fn texts() -> Vec<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts: Vec<String> = TEXTS.iter().copied().map(ToOwned::to_owned).collect();
    texts.push(TEXTS.concat());
    for file in ["../README.md", "../ARCHITECTURE.md", "src/lib.rs"] {
        texts.push(fs::read_to_string(here.join(file)).expect("part of the repository"));
    }
    let mut runner = TestRunner::deterministic();
    for model in &*MODELS {
        texts.push(model.added.concat());
        texts.push(model.added.join(" \n"));
        let content = content(&model.added);
        for _ in 0..RANDOM {
            texts.push(content.new_tree(&mut runner).unwrap().current());
        }
    }
    texts
}

fn by_python(texts: &[String]) -> Vec<Vec<Expected>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tokenizer");
    let python = testkit::pip_venv("transformers", &here.join("requirements.txt"));
    let mut child = Command::new(python)
        .arg(here.join("encode.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let folders: Vec<&Path> = MODELS.iter().map(|model| &*model.folder).collect();
    let order = json!({ "folders": folders, "texts": texts });
    let mut input = child.stdin.take().unwrap();
    input.write_all(order.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn detokenize(model: &Model, ids: &[u32], keep_special: bool) -> String {
    let options = DetokenizeOptions {
        keep_special,
        ..DetokenizeOptions::default()
    };
    let mut detokenizer = Detokenizer::new(model.ours.clone(), options);
    let mut text = String::new();
    for id in ids {
        detokenizer.push(*id, &mut text);
    }
    detokenizer.finish(&mut text);
    text
}

#[test]
fn ids_and_texts_are_those_of_transformers() {
    let texts = texts();
    assert!(texts.len() > 300);
    for (model, expected) in MODELS.iter().zip(by_python(&texts)) {
        assert_eq!(expected.len(), texts.len());
        for (text, expected) in texts.iter().zip(expected) {
            let (name, ours) = (model.name, &model.ours);
            assert_eq!(
                ours.encode(text, false).unwrap(),
                expected.plain,
                "{name}: {text:?}"
            );
            assert_eq!(
                ours.encode(text, true).unwrap(),
                expected.whole,
                "{name}: {text:?}"
            );
            assert_eq!(ours.count(text).unwrap(), expected.plain.len());
            assert_eq!(
                detokenize(model, &expected.whole, true),
                expected.kept,
                "{name}"
            );
            assert_eq!(
                detokenize(model, &expected.whole, false),
                expected.skipped,
                "{name}"
            );
        }
    }
}
